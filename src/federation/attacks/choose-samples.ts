import { type Key, randomStream } from "../../kernel/key.ts";

/**
 * Marks round(fraction · count) samples, chosen at random.
 *
 * @returns 1 for each sample chosen, 0 for the others
 */
export function chooseSamples(count: number, fraction: number, key: Key): Uint8Array {
  const chosen = new Uint8Array(count);
  const order = randomStream(key).permutation(count);
  for (const position of order.subarray(0, Math.round(fraction * count))) chosen[position] = 1;
  return chosen;
}
