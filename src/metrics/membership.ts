import { anyScope, defineMetric } from "./contract.ts";
import { expectFinite, expectSameLength } from "./metric-input.ts";
import { rankProbability } from "./statistics/rank-probability.ts";

/** What a loss-threshold membership test found. */
export interface MembershipResult {
  /** Probability that a member has a smaller loss than a non-member of the same class; ½ = cannot tell. In [0, 1]. */
  readonly auc: number;
  /** Standard error of the AUC; see {@link lossMembership}. */
  readonly standardError: number;
  readonly members: number;
  readonly nonMembers: number;
}

/**
 * Loss-based membership test: do the removed data have smaller losses than held-out data of the same classes?
 * AUC = Σ_c π_c · P(loss_member < loss_nonMember | class c) (ties count ½), π_c the members' share of class c, so that a class
 * mix that differs between the two groups cannot be mistaken for memory.
 *
 * Standard error √(Σ_c π_c² s_c²), s_c that of Hanley & McNeil (1982) for the class's counts at the common AUC: a class
 * with few members says too little about an AUC of its own. Counting all members and non-members together would be too
 * sure of itself where the members' classes are uneven.
 *
 * A weak population test: an AUC near ½ is no proof of forgetting. An AUC well below ½ means over-forgetting.
 * Source: Yeom et al., arXiv 1709.01604 (loss attack); class matching as in Kurmanji et al., arXiv 2302.09880.
 *
 * @param memberLosses - in nats [members], with their labels
 * @param nonMemberLosses - held-out samples [nonMembers], with their labels; classes no member has are not used
 * @returns an AUC of NaN when the two groups have no class in common
 * @throws LETHE_DATA_SHAPE, LETHE_NUMERIC_NOT_FINITE
 */
export function lossMembership(
  memberLosses: Float64Array,
  memberLabels: Int32Array,
  nonMemberLosses: Float64Array,
  nonMemberLabels: Int32Array,
): MembershipResult {
  expectSameLength("loss-mia", { memberLosses, memberLabels });
  expectSameLength("loss-mia", { nonMemberLosses, nonMemberLabels });
  expectFinite("loss-mia", "memberLosses", memberLosses);
  expectFinite("loss-mia", "nonMemberLosses", nonMemberLosses);
  const members = byClass(memberLosses, memberLabels);
  const others = byClass(nonMemberLosses, nonMemberLabels);
  const strata = [...members].flatMap(([label, losses]) => {
    const against = others.get(label);
    return against === undefined ? [] : [{ losses, against }];
  });
  const total = (size: (stratum: (typeof strata)[number]) => number): number =>
    strata.reduce((sum, stratum) => sum + size(stratum), 0);
  const used = total(({ losses }) => losses.length);
  const auc = total(({ losses, against }) => losses.length * rankProbability(losses, against)) / used;
  const variance = total(
    ({ losses, against }) => (losses.length / used) ** 2 * hanleyMcNeil(auc, losses.length, against.length),
  );
  return {
    auc,
    standardError: Math.sqrt(variance),
    members: used,
    nonMembers: total(({ against }) => against.length),
  };
}

/** The variance of an AUC from so many samples. */
function hanleyMcNeil(auc: number, positives: number, negatives: number): number {
  const q1 = auc / (2 - auc);
  const q2 = (2 * auc * auc) / (1 + auc);
  const variance = auc * (1 - auc) + (positives - 1) * (q1 - auc * auc) + (negatives - 1) * (q2 - auc * auc);
  return Math.max(0, variance) / (positives * negatives);
}

function byClass(losses: Float64Array, labels: Int32Array): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  losses.forEach((loss, index) => {
    const label = labels[index] as number;
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [loss]);
    else group.push(loss);
  });
  return groups;
}

/** The loss-threshold membership test. */
export const lossMembershipMetric = defineMetric({
  id: "loss-mia",
  title: "Loss-threshold membership test, class by class",
  references: ["S. Yeom et al. 2018, arXiv 1709.01604"],
  scope: anyScope,
  needs: ["forget", "holdout", "retrained"],
  formula:
    "Σ_c π_c · (P(loss_forget < loss_holdout | c) + ½P(equal)), π_c the class's share of the forget set",
  range: "0 to 1; ½: cannot tell, well below ½: over-forgotten, which betrays the samples too",
  direction: "as retrained",
  cost: "one forward pass",
  guarantee: "An AUC away from ½ by several standard errors shows that losses betray the forget samples.",
  doesNotShow: "That nothing is left: one threshold a class for all samples is a weak attack.",
  compute: lossMembership,
});
