import type { Samples } from "../data/dataset.ts";
import { deriveKey, type Key, type RandomStream, randomStream } from "../kernel/key.ts";
import { partitionError } from "./partition-error.ts";
import { takeGroups } from "./partition-groups.ts";
import { type ClassPools, classPools } from "./partition-pools.ts";
import { type ClientSizes, clientSizes, type SizeRequest } from "./partition-sizes.ts";
import { takeDirichlet, takeExclusive, takeIid } from "./partition-strategies.ts";

/** How samples are divided among clients. */
export type PartitionStrategy =
  | { readonly kind: "iid" }
  | { readonly kind: "dirichlet"; readonly alpha: number }
  | { readonly kind: "exclusive" }
  | { readonly kind: "group"; readonly attribute: string };

/** How many clients, and how much each of them holds. */
export interface PartitionOptions {
  /** At least 1. */
  readonly clients: number;
  /** Mean number of samples of a client; default min(600, ⌊count / clients⌋), the size the rules were measured at. */
  readonly samplesPerClient?: number;
  /** Default: equal. */
  readonly sizes?: ClientSizes;
}

/** The clients' mean size where nothing else is asked. */
const DEFAULT_SAMPLES_PER_CLIENT = 600;

/**
 * Divides samples among clients; a sample goes to at most one of them.
 *
 * - `iid`: every client draws from all samples alike.
 * - `dirichlet`: client u's class mix is drawn from Dirichlet(alpha, …, alpha), its samples from that mix; where a class
 *   has none left, from the class with most left.
 * - `exclusive`: client 0 alone holds the last class, 60 % of its samples; all else is as `iid`.
 * - `group`: every client is one value of an attribute of the samples, the largest first ({@link takeGroups}).
 *
 * @param samples - labels and groups are read, never features
 * @param key - the same key gives the same clients
 * @returns ascending positions in `samples`, one array per client
 * @throws LETHE_USAGE_PARTITION when the samples do not suffice
 * @example
 * const clients = partition(parsePartition("dirichlet:0.3"), train, { clients: 20 }, keyFromSeed(1));
 * const first = train.subset(clients[0]);
 */
export function partition(
  strategy: PartitionStrategy,
  samples: Pick<Samples, "count" | "classCount" | "positionsByClass" | "groups" | "groupNames">,
  options: PartitionOptions,
  key: Key,
): readonly Uint32Array[] {
  const purpose = deriveKey(key, "partition");
  requireClients(options.clients);
  if (strategy.kind === "group") {
    const clients = takeGroups(strategy.attribute, samples, options, deriveKey(purpose, "draws"));
    return clients.map((positions) => positions.sort());
  }
  const counts = clientSizes(sizeRequest(samples.count, options), deriveKey(purpose, "sizes"));
  const pools = classPools(samples.positionsByClass(), deriveKey(purpose, "pools"));
  const stream = randomStream(deriveKey(purpose, "draws"));
  return take(strategy, pools, counts, stream).map((positions) => positions.sort());
}

function take(
  strategy: Exclude<PartitionStrategy, { readonly kind: "group" }>,
  pools: ClassPools,
  counts: Uint32Array,
  stream: RandomStream,
): readonly Uint32Array[] {
  switch (strategy.kind) {
    case "iid":
      return takeIid(pools, counts, stream);
    case "dirichlet":
      return takeDirichlet(strategy.alpha, pools, counts, stream);
    case "exclusive":
      return takeExclusive(pools, counts, stream);
    default:
      return strategy satisfies never;
  }
}

function requireClients(clients: number): void {
  if (Number.isInteger(clients) && clients >= 1) return;
  throw partitionError(`Expected at least one client, got ${clients}.`);
}

function sizeRequest(count: number, options: PartitionOptions): SizeRequest {
  const { clients, sizes = { kind: "equal" } } = options;
  const most = Math.floor(count / clients);
  if (most < 1) {
    throw partitionError(
      `Expected a sample for every client, got ${clients} clients for ${count} samples. Ask for fewer clients.`,
    );
  }
  const mean = options.samplesPerClient ?? Math.min(DEFAULT_SAMPLES_PER_CLIENT, most);
  if (!Number.isInteger(mean) || mean < 1 || mean > most) {
    throw partitionError(
      `Expected 1 to ${most} samples for each of ${clients} clients (${count} samples in all), got ${mean}.`,
    );
  }
  return { clients, mean, sizes };
}
