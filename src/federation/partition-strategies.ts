import type { RandomStream } from "../kernel/key.ts";
import { dirichlet } from "./gamma.ts";
import { partitionError } from "./partition-error.ts";
import { type ClassPools, drawIndex } from "./partition-pools.ts";

/** Share of client 0's samples that are of the class it alone holds. */
const EXCLUSIVE_FRACTION = 0.6;

/** Every client draws from all that is left, each sample equally likely. */
export function takeIid(
  pools: ClassPools,
  counts: Uint32Array,
  stream: RandomStream,
): readonly Uint32Array[] {
  return Array.from(counts, (count) =>
    Uint32Array.from({ length: count }, () => pools.take(drawIndex(pools.left, stream))),
  );
}

/**
 * Every client has its own class mix from the symmetric Dirichlet distribution.
 *
 * Source of the scheme: T.-M. H. Hsu, H. Qi, M. Brown, 2019, arXiv:1909.06335. Departure: where a class is exhausted the
 * class with most left stands in, so that sizes stay as asked.
 */
export function takeDirichlet(
  alpha: number,
  pools: ClassPools,
  counts: Uint32Array,
  stream: RandomStream,
): readonly Uint32Array[] {
  return Array.from(counts, (count) => {
    const mix = dirichlet(alpha, pools.left.length, stream);
    return Uint32Array.from({ length: count }, () => {
      const wished = drawIndex(mix, stream);
      return pools.take(pools.left[wished] ? wished : largest(pools.left));
    });
  });
}

/**
 * Client 0 alone holds the last class; everyone draws the rest from the other classes as in {@link takeIid}.
 *
 * @throws LETHE_USAGE_PARTITION when either side does not suffice
 */
export function takeExclusive(
  pools: ClassPools,
  counts: Uint32Array,
  stream: RandomStream,
): readonly Uint32Array[] {
  const exclusive = pools.left.length - 1;
  const wanted = Math.round(EXCLUSIVE_FRACTION * (counts[0] as number));
  const others = pools.left.slice(0, exclusive);
  requireEnough(wanted, pools.left[exclusive] as number, `of class ${exclusive} for client 0`);
  requireEnough(sum(counts) - wanted, sum(others), "of the other classes for all clients");

  return Array.from(counts, (count, client) =>
    Uint32Array.from({ length: count }, (_, at) => {
      const label =
        client === 0 && at < wanted ? exclusive : drawIndex(pools.left.subarray(0, exclusive), stream);
      return pools.take(label);
    }),
  );
}

function requireEnough(wanted: number, available: number, what: string): void {
  if (wanted <= available) return;
  throw partitionError(
    `Expected ${wanted} samples ${what}, but there are ${available}. Ask for fewer samples per client.`,
  );
}

function largest(left: Uint32Array): number {
  return left.indexOf(left.reduce((max, value) => Math.max(max, value), 0));
}

function sum(values: Uint32Array): number {
  return values.reduce((total, value) => total + value, 0);
}
