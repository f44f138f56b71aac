import { expectAtLeast, expectFinite, expectSameLength } from "../metric-input.ts";
import { squaredDeviations } from "../statistics/summary.ts";

/** What shadow models say about each sample, by whether they were trained with it. */
export interface ShadowMargins {
  /** Per sample: margins of the models trained with it. */
  readonly inside: readonly Float64Array[];
  /** Per sample: margins of the models trained without it. */
  readonly outside: readonly Float64Array[];
}

/**
 * Divides margins of shadow models by membership.
 *
 * @param margins - [models][samples], finite
 * @param isIncluded - [models][samples], whether a model was trained with a sample
 * @throws LETHE_DATA_SHAPE, LETHE_NUMERIC_NOT_FINITE
 */
export function divideShadows(
  margins: readonly Float64Array[],
  isIncluded: readonly ArrayLike<boolean>[],
): ShadowMargins {
  expectSameLength("lira", { margins, isIncluded });
  margins.forEach((line, model) => {
    expectSameLength("lira", { margins: line, isIncluded: isIncluded[model] ?? [], first: margins[0] ?? [] });
    expectFinite("lira", "shadow margins", line);
  });
  const of = (sample: number, wanted: boolean): Float64Array =>
    Float64Array.from(
      margins.flatMap((line, model) =>
        Boolean(isIncluded[model]?.[sample]) === wanted ? [line[sample] as number] : [],
      ),
    );
  const samples = Array.from(margins[0] ?? [], (_, sample) => sample);
  return {
    inside: samples.map((sample) => of(sample, true)),
    outside: samples.map((sample) => of(sample, false)),
  };
}

/**
 * Least variance a Gaussian over margins is given, 10⁻⁶ (a deviation of 10⁻³ nats, about what single-precision logits of size 100
 * leave of a margin): identical shadow models would claim certainty otherwise.
 */
export const VARIANCE_FLOOR = 1e-6;

/**
 * One variance within samples, pooled over all of them: Σ_i Σ_j (m_ij − m̄_i)² / Σ_i (n_i − 1), at least {@link VARIANCE_FLOOR}.
 *
 * @param groups - per sample its margins
 * @throws LETHE_DATA_TOO_FEW when no sample has two
 */
export function pooledVariance(metric: string, groups: readonly Float64Array[]): number {
  const freedom = groups.reduce((sum, { length }) => sum + Math.max(0, length - 1), 0);
  expectAtLeast(metric, "shadow models beyond the first of a sample", freedom, 1);
  const total = groups.reduce((sum, group) => sum + (group.length < 2 ? 0 : squaredDeviations(group)), 0);
  return Math.max(VARIANCE_FLOOR, total / freedom);
}
