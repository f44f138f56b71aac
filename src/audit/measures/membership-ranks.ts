import { countBelow } from "../../metrics/statistics/rank-probability.ts";

/** Evidence of membership, sample by sample, with labels; larger means member. */
export interface Evidence {
  readonly scores: Float64Array;
  readonly labels: Int32Array;
}

/**
 * For every suspect the share of non-members of its class with less evidence (equal ones count half): its mean is the area under the
 * attack's curve, class by class, so that classes of unlike difficulty are not mistaken for memory.
 *
 * @param nonMembers - where it has none of a suspect's class, that suspect is left out
 * @returns [suspects that have peers], each in [0, 1]; ½ on average where members and others cannot be told apart
 */
export function membershipRanks(suspects: Evidence, nonMembers: Evidence): Float64Array {
  const peers = new Map<number, number[]>();
  nonMembers.scores.forEach((score, row) => {
    const label = nonMembers.labels[row] as number;
    const group = peers.get(label);
    if (group === undefined) peers.set(label, [score]);
    else group.push(score);
  });
  const ascending = new Map([...peers].map(([label, scores]) => [label, Float64Array.from(scores).sort()]));
  const ranks: number[] = [];
  suspects.scores.forEach((score, row) => {
    const others = ascending.get(suspects.labels[row] as number);
    if (others === undefined) return;
    ranks.push((countBelow(others, score) + countBelow(others, score, true)) / (2 * others.length));
  });
  return Float64Array.from(ranks);
}
