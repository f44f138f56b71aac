import type { PartitionStrategy } from "./partition.ts";
import { partitionError } from "./partition-error.ts";
import type { ClientSizes } from "./partition-sizes.ts";

/**
 * Reads `iid`, `dirichlet:ALPHA`, `exclusive` or `group:ATTRIBUTE`.
 *
 * @throws LETHE_USAGE_PARTITION
 */
export function parsePartition(text: string): PartitionStrategy {
  if (text === "iid" || text === "exclusive") return { kind: text };
  const [, attribute] = /^group:(.+)$/s.exec(text) ?? [];
  if (attribute !== undefined) return { kind: "group", attribute };
  const alpha = parameterOf(text, "dirichlet");
  if (alpha === undefined) {
    throw partitionError(
      `Expected a partition iid, dirichlet:ALPHA, exclusive or group:ATTRIBUTE, got \`${text}\`.`,
    );
  }
  if (!Number.isFinite(alpha) || alpha <= 0) {
    throw partitionError(
      `Expected a concentration above 0 as in dirichlet:0.3, got \`${text}\`. Small values give uneven class mixes.`,
    );
  }
  return { kind: "dirichlet", alpha };
}

/**
 * Reads `equal` or `spread:RATIO`.
 *
 * @throws LETHE_USAGE_PARTITION
 */
export function parseClientSizes(text: string): ClientSizes {
  if (text === "equal") return { kind: "equal" };
  const ratio = parameterOf(text, "spread");
  if (ratio === undefined) {
    throw partitionError(`Expected client sizes equal or spread:RATIO, got \`${text}\`.`);
  }
  if (!Number.isFinite(ratio) || ratio < 1) {
    throw partitionError(
      `Expected a ratio of at least 1 between the largest and the smallest client, as in spread:10, got \`${text}\`.`,
    );
  }
  return { kind: "spread", ratio };
}

/** The number after `word:`; NaN when it is none, `undefined` when the text is about something else. */
function parameterOf(text: string, word: string): number | undefined {
  const [head, parameter, ...rest] = text.split(":");
  if (head !== word) return undefined;
  const isNumber = rest.length === 0 && /^(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(parameter ?? "");
  return isNumber ? Number(parameter) : Number.NaN;
}
