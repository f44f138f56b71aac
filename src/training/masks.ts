import { LetheError } from "../kernel/errors.ts";
import { sizeOf } from "../kernel/layout.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { Architecture } from "../models/architecture.ts";

/** A 0/1 mask over the parameters, 1 for whole tensors whose names are wanted. */
export function maskByName(architecture: Architecture, isWanted: (name: string) => boolean): ParameterSet {
  const parameters = architecture.weights.filter(({ role }) => role === "parameter");
  return new Map(
    parameters.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape)).fill(isWanted(name) ? 1 : 0)]),
  );
}

/** Which elements a mask by scores takes. */
export interface ScoreMaskOptions {
  /** Share of the elements that get 1, in [0, 1]; the number is rounded. */
  readonly fraction: number;
  /** The share is counted over all tensors together, or in each; together when left out. */
  readonly within?: "all" | "tensor";
  /** Whether the largest scores get 1 (when left out) or the smallest. */
  readonly keep?: "largest" | "smallest";
}

/**
 * A 0/1 mask of the elements with the largest (or smallest) scores. Exactly the wanted number gets 1: of equal scores the earlier ones.
 *
 * @param scores - finite numbers, tensor by tensor
 * @throws LETHE_USAGE_MASK for a share outside [0, 1]; LETHE_NUMERIC_NOT_FINITE for a score that is no number
 */
export function maskByScore(scores: ParameterSet, options: ScoreMaskOptions): ParameterSet {
  const { fraction, within = "all", keep = "largest" } = options;
  if (!(fraction >= 0 && fraction <= 1)) {
    throw new LetheError("usage", "USAGE_MASK", `Expected \`fraction\` in [0, 1], got ${fraction}.`);
  }
  const sign = keep === "largest" ? 1 : -1;
  if (within === "tensor") {
    return new Map(
      [...scores].map(([name, values]) => [name, topMask([values], fraction, sign)[0] as Float32Array]),
    );
  }
  const masks = topMask([...scores.values()], fraction, sign);
  return new Map([...scores.keys()].map((name, index) => [name, masks[index] as Float32Array]));
}

/** The share of ones, of all elements. */
export function maskDensity(mask: ParameterSet): number {
  let ones = 0;
  let length = 0;
  for (const values of mask.values()) {
    ones += values.reduce((sum, value) => sum + value, 0);
    length += values.length;
  }
  return length === 0 ? 0 : ones / length;
}

/** Masks for several tensors whose scores compete. */
function topMask(tensors: readonly Float32Array[], fraction: number, sign: 1 | -1): Float32Array[] {
  const length = tensors.reduce((sum, values) => sum + values.length, 0);
  const ranked = new Float32Array(length);
  let at = 0;
  for (const values of tensors) for (const value of values) ranked[at++] = requireFinite(sign * value);
  ranked.sort();
  const wanted = Math.round(fraction * length);
  const threshold = wanted === 0 ? Number.POSITIVE_INFINITY : (ranked[length - wanted] as number);
  // Of those equal to the threshold only as many as are left.
  let ties = wanted - ranked.reduce((count, value) => count + (value > threshold ? 1 : 0), 0);
  return tensors.map((values) =>
    values.map((value) => {
      const score = sign * value;
      if (score > threshold) return 1;
      return score === threshold && ties-- > 0 ? 1 : 0;
    }),
  );
}

function requireFinite(score: number): number {
  if (Number.isFinite(score)) return score;
  throw new LetheError("numeric", "NUMERIC_NOT_FINITE", `Expected finite scores for a mask, got ${score}.`);
}
