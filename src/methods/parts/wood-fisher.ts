import { addScaled, dot } from "../../runtime/linear-algebra/linear-operator.ts";

/** A product with an inverse Fisher matrix on its way, sample by sample. */
export interface WoodFisher {
  /** Takes one more sample's gradient in. */
  add(gradient: Float64Array): void;
  /** What has been found so far. */
  readonly solution: Float64Array;
}

/**
 * The one-vector recursion for (I + (1/N)·Σ g gᵀ)⁻¹·v over samples' gradients g:
 *
 *   o ← g of the first sample; for each later one  t = o·g,  k ← k − (k·g/(N + t))·o,  o ← o − (t/(N + t))·o,  from k = v
 *
 * Exact where all gradients are the first one's, as then o is the inverse so far times the next gradient. Otherwise an approximation whose k
 * moves along the first gradient alone, and so depends on which sample comes first; that is how the published baseline has it.
 *
 * @param vector - v; not changed
 * @param count - N
 * Source: S. Singh, D. Alistarh, arXiv 2004.14340 (WoodFisher); in this form J. Jia et al., arXiv 2304.04934, and the authors' code.
 */
export function woodFisher(vector: Float64Array, count: number): WoodFisher {
  const solution = vector.slice();
  let direction: Float64Array | undefined;
  return {
    solution,
    add(gradient) {
      if (direction === undefined) {
        direction = gradient.slice();
        return;
      }
      const overlap = dot(direction, gradient);
      addScaled(solution, direction, -dot(solution, gradient) / (count + overlap));
      const shrink = 1 - overlap / (count + overlap);
      for (let at = 0; at < direction.length; at++) direction[at] = (direction[at] as number) * shrink;
    },
  };
}
