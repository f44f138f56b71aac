import { deriveKey, type Key, randomStream } from "../../kernel/key.ts";

/**
 * `size` of `count` rows, drawn without replacement.
 *
 * @param role - what the rows are for: each role has draws of its own
 * @returns [size] indices in ascending order
 */
export function drawRows(key: Key, role: string, count: number, size: number): Uint32Array {
  return randomStream(deriveKey(key, "draw", role))
    .permutation(count)
    .slice(0, size)
    .sort();
}
