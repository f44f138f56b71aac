import type { ParameterSet } from "../../kernel/parameters.ts";

/** When a weight is dampened, and how much. */
export interface DampeningOptions {
  /** α: how many times as important for the forget samples as for all a weight has to be. */
  readonly alpha: number;
  /** λ: the factor on what is left. */
  readonly lambda: number;
}

/**
 * Weights shortened where the forget samples depend on them out of proportion:
 *
 *   w ← β·w with β = min(λ·I/I_f, 1) where I_f > α·I, and w elsewhere
 *
 * @param own - importances I_f for the forget samples, ≥ 0, for the parameters
 * @param all - importances I for all training samples, ≥ 0
 * @returns fresh arrays; tensors without importances (buffers) are those given
 * Source: J. Foster, S. Schoepf, A. Brintrup, arXiv 2308.07707, equations 6 and 7.
 */
export function dampened(
  weights: ParameterSet,
  own: ParameterSet,
  all: ParameterSet,
  { alpha, lambda }: DampeningOptions,
): { readonly weights: ParameterSet; readonly share: number } {
  let [changed, length] = [0, 0];
  const result = new Map(
    [...weights].map(([name, values]) => {
      const [mine, theirs] = [own.get(name), all.get(name)];
      if (mine === undefined || theirs === undefined) return [name, values];
      length += values.length;
      const shortened = values.map((value, at) => {
        const [forget, training] = [mine[at] as number, theirs[at] as number];
        if (!(forget > alpha * training)) return value;
        changed++;
        return value * Math.min((lambda * training) / forget, 1);
      });
      return [name, shortened];
    }),
  );
  return { weights: result, share: length === 0 ? 0 : changed / length };
}
