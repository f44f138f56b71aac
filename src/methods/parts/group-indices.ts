import type { Samples } from "../../data/dataset.ts";

/** The group of every sample, from 0. */
export interface GroupIndices {
  /** How many groups there are. */
  readonly groups: number;
  readonly forgetGroups: Int32Array;
  readonly retainGroups: Int32Array;
}

/**
 * Numbers the groups of two sets of samples: a group is a label together with the values of attributes; without attributes the
 * labels alone.
 */
export function groupIndices(forget: Samples, retain: Samples, attributes: readonly string[]): GroupIndices {
  const known = new Map<string, number>();
  const numbered = (samples: Samples): Int32Array =>
    samples.labels.map((label, position) => {
      const values = samples.groups(position);
      const name = JSON.stringify([label, ...attributes.map((attribute) => values[attribute] ?? "")]);
      const number = known.get(name) ?? known.size;
      known.set(name, number);
      return number;
    });
  const [forgetGroups, retainGroups] = [numbered(forget), numbered(retain)];
  return { groups: known.size, forgetGroups, retainGroups };
}
