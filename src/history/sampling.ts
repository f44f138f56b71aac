import { deriveKey, type Key, randomStream } from "../kernel/key.ts";

/**
 * The clients of a round whose updates are stored: ⌈κ·U⌉ of U, uniform without replacement, independent of the data.
 * Nothing is stored about the draw; anybody with the key can repeat it.
 *
 * @param clients - names of the round's participants, in any order
 * @param fraction - κ in (0, 1]
 * Source: N. Lang et al., arXiv 2505.03388, stage A.
 */
export function sampleClients(
  key: Key,
  round: number,
  clients: readonly string[],
  fraction: number,
): ReadonlySet<string> {
  if (fraction === 1) return new Set(clients);
  const ordered = [...clients].sort();
  const order = randomStream(deriveKey(key, "stored clients", round)).permutation(ordered.length);
  const kept = order.subarray(0, Math.ceil(fraction * ordered.length));
  return new Set(Array.from(kept, (index) => ordered[index] as string));
}
