import type { Samples } from "../data/dataset.ts";
import { deriveKey, type Key, randomStream } from "../kernel/key.ts";
import { partitionError } from "./partition-error.ts";
import type { ClientSizes } from "./partition-sizes.ts";

/**
 * Every client is a group of the samples, such as an airport: client 0 the largest one, and so on (of two equally large ones the
 * first in alphabetical order). It holds all samples of its group, or `samplesPerClient` of them by chance where there are more.
 *
 * @throws LETHE_USAGE_PARTITION for an attribute the samples do not have, fewer groups than clients, or sizes of another kind
 */
export function takeGroups(
  attribute: string,
  samples: Pick<Samples, "count" | "groups" | "groupNames">,
  options: { readonly clients: number; readonly samplesPerClient?: number; readonly sizes?: ClientSizes },
  key: Key,
): readonly Uint32Array[] {
  const { clients, samplesPerClient, sizes = { kind: "equal" } } = options;
  if (!samples.groupNames.includes(attribute)) {
    const known = samples.groupNames.join(", ") || "none in this data";
    throw partitionError(`Expected an attribute of the samples (${known}), got \`group:${attribute}\`.`);
  }
  if (sizes.kind !== "equal") {
    throw partitionError(
      "Expected no client sizes beside group:ATTRIBUTE: clients are as large as their groups.",
    );
  }
  if (samplesPerClient !== undefined && (!Number.isInteger(samplesPerClient) || samplesPerClient < 1)) {
    throw partitionError(`Expected at least one sample for every client, got ${samplesPerClient}.`);
  }
  const groups = [...positionsByValue(attribute, samples)].sort(
    ([nameA, a], [nameB, b]) => b.length - a.length || (nameA < nameB ? -1 : 1),
  );
  if (groups.length < clients) {
    throw partitionError(
      `Expected a group for each of ${clients} clients, got ${groups.length} values of \`${attribute}\`. Ask for fewer clients.`,
    );
  }
  return groups.slice(0, clients).map(([, positions], client) => {
    const order = randomStream(deriveKey(key, client)).permutation(positions.length);
    return Uint32Array.from(order.slice(0, samplesPerClient), (at) => positions[at] as number);
  });
}

function positionsByValue(
  attribute: string,
  { count, groups }: Pick<Samples, "count" | "groups">,
): ReadonlyMap<string, readonly number[]> {
  const byValue = new Map<string, number[]>();
  for (let position = 0; position < count; position++) {
    const value = groups(position)[attribute] ?? "";
    const positions = byValue.get(value);
    if (positions) positions.push(position);
    else byValue.set(value, [position]);
  }
  return byValue;
}
