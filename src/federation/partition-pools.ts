import { deriveKey, type Key, type RandomStream, randomStream } from "../kernel/key.ts";

/** Samples not given to a client yet, class by class in random order. */
export interface ClassPools {
  /** How many samples of each class are left. */
  readonly left: Uint32Array;
  /** Takes one sample of a class that has some left. */
  take(label: number): number;
}

/** Fills the pools with every sample. */
export function classPools(positionsByClass: readonly Uint32Array[], key: Key): ClassPools {
  const shuffled = positionsByClass.map((positions, label) =>
    randomStream(deriveKey(key, label))
      .permutation(positions.length)
      .map((at) => positions[at] as number),
  );
  const left = Uint32Array.from(shuffled, (positions) => positions.length);
  const take = (label: number): number => {
    const at = (left[label] as number) - 1;
    left[label] = at;
    return shuffled[label]?.[at] as number;
  };
  return { left, take };
}

/** Draws an index with probability proportional to its weight; some weight must be positive. */
export function drawIndex(weights: Uint32Array | Float64Array, stream: RandomStream): number {
  let total = 0;
  for (const weight of weights) total += weight;
  let rest = stream.uniform() * total;
  let last = 0;
  for (let index = 0; index < weights.length; index++) {
    const weight = weights[index] as number;
    if (weight <= 0) continue;
    if (rest < weight) return index;
    rest -= weight;
    // Where rounding leaves a rest at the end, the last index that has weight takes it.
    last = index;
  }
  return last;
}
