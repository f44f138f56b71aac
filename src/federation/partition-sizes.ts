import { type Key, randomStream } from "../kernel/key.ts";
import { partitionError } from "./partition-error.ts";

/** Whether clients hold equally much, or the largest `ratio` times as much as the smallest. */
export type ClientSizes = { readonly kind: "equal" } | { readonly kind: "spread"; readonly ratio: number };

/** What {@link clientSizes} divides. */
export interface SizeRequest {
  readonly clients: number;
  /** Mean number of samples of a client. */
  readonly mean: number;
  readonly sizes: ClientSizes;
}

/**
 * How many samples each client holds, clients · mean in all.
 *
 * `spread`: proportional to ratio^(i / (clients − 1)), i = 0 … clients − 1, so evenly spaced on a logarithmic scale and
 * exactly `ratio` apart at the ends but for rounding; the key decides which client has which size.
 *
 * @throws LETHE_USAGE_PARTITION when the smallest client would hold nothing
 */
export function clientSizes({ clients, mean, sizes }: SizeRequest, key: Key): Uint32Array {
  if (sizes.kind === "equal" || clients === 1) return new Uint32Array(clients).fill(mean);
  const weights = Float64Array.from({ length: clients }, (_, rank) => sizes.ratio ** (rank / (clients - 1)));
  const ladder = apportion(weights, clients * mean);
  if (ladder.includes(0)) {
    throw partitionError(
      `Expected enough samples for every client, but with a mean of ${mean} and sizes ${sizes.ratio} times apart the smallest client would hold none. Give more samples per client, or a smaller spread.`,
    );
  }
  const order = randomStream(key).permutation(clients);
  return Uint32Array.from(order, (rank) => ladder[rank] as number);
}

/** Integers in proportion to `weights` that sum to `total` (largest remainders are rounded up). */
function apportion(weights: Float64Array, total: number): Uint32Array {
  const scale = total / weights.reduce((sum, weight) => sum + weight, 0);
  const shares = Uint32Array.from(weights, (weight) => Math.floor(weight * scale));
  const missing = total - shares.reduce((sum, share) => sum + share, 0);
  const remainder = (at: number): number => (weights[at] as number) * scale - (shares[at] as number);
  const byRemainder = [...shares.keys()].sort((a, b) => remainder(b) - remainder(a));
  for (const at of byRemainder.slice(0, missing)) shares[at] = (shares[at] as number) + 1;
  return shares;
}
