import type { z } from "zod";
import type { Key } from "../../kernel/key.ts";
import { anyScope, defineMetric } from "../contract.ts";
import { expectScored, type ScoredSamples, selectScored } from "../scored-samples.ts";
import { drawRows } from "./draw-rows.ts";
import { type MembershipFeature, membershipFeatures } from "./membership-features.ts";
import { fitSupportVectors, supportVectorConfig } from "./support-vector-classifier.ts";

/** The three groups of the attack, all scored by the model under test without augmentation. */
export interface SvcMembershipInput {
  /** Retained training samples: members for certain. */
  readonly members: ScoredSamples;
  /** Samples never trained on. Not those that measure test accuracy, or the attack is fitted on its own judge. */
  readonly nonMembers: ScoredSamples;
  readonly forget: ScoredSamples;
  /** Draws the larger of the two groups down to the smaller. */
  readonly key: Key;
}

/**
 * MIA-efficacy: the share of forget samples that a support vector machine, taught to tell members from non-members by one feature
 * of the model's output, calls non-members.
 *
 * efficacy_f = #{x ∈ D_f : SVC_f(f(x)) = non-member} / |D_f| for each feature f of {@link membershipFeatures}. Papers report
 * `confidence` as MIA-efficacy.
 *
 * @param input - at least one sample a group; members and non-members are balanced by drawing from the larger
 * @returns the efficacy in [0, 1] for every feature asked for
 * @throws LETHE_DATA_SHAPE, LETHE_DATA_TOO_FEW, LETHE_DATA_LABEL, LETHE_NUMERIC_NOT_FINITE, LETHE_USAGE_CONFIG
 * @see J. Jia et al. 2023, arXiv 2304.04934; C. Fan et al. 2024, arXiv 2310.12508. Departures: the members are drawn, not the first
 * ones of the retain set; entropies are formed from logits, without clamping.
 */
export function svcMembership<F extends MembershipFeature>(
  input: SvcMembershipInput,
  features: readonly F[],
  settings?: z.input<typeof supportVectorConfig>,
): Readonly<Record<F, number>> {
  const metric = "mia-efficacy";
  for (const name of ["members", "nonMembers", "forget"] as const) expectScored(metric, name, input[name]);
  const size = Math.min(input.members.labels.length, input.nonMembers.labels.length);
  const draw = (samples: ScoredSamples, role: string): ScoredSamples =>
    samples.labels.length === size
      ? samples
      : selectScored(samples, drawRows(input.key, role, samples.labels.length, size));
  const members = draw(input.members, "members");
  const nonMembers = draw(input.nonMembers, "non-members");
  const isMember = [...new Array<boolean>(size).fill(true), ...new Array<boolean>(size).fill(false)];
  const efficacy = (feature: F): number => {
    const featuresOf = membershipFeatures[feature];
    const ofMembers = featuresOf(members);
    const known = new Float64Array(2 * ofMembers.length);
    known.set(ofMembers);
    known.set(featuresOf(nonMembers), ofMembers.length);
    const decisions = fitSupportVectors(known, isMember, settings).decide(featuresOf(input.forget));
    return decisions.filter((decision) => decision < 0).length / decisions.length;
  };
  return Object.fromEntries(features.map((feature) => [feature, efficacy(feature)])) as Record<F, number>;
}

/** MIA-efficacy as the sparse-unlearning papers report it. */
export const miaEfficacyMetric = defineMetric({
  id: "mia-efficacy",
  title: "MIA-efficacy: forget samples a support vector machine calls non-members",
  references: ["J. Jia et al. 2023, arXiv 2304.04934", "L. Song, P. Mittal 2021, arXiv 2003.10595"],
  scope: anyScope,
  needs: ["forget", "retain", "holdout", "retrained"],
  formula: "#{x ∈ D_f : SVC(feature(x)) = non-member} / |D_f|, SVC with C = 3, RBF kernel, γ = 1/features",
  range: "0 to 1; the retrained model's value is the aim, and it is seldom 1",
  direction: "as retrained",
  cost: "one forward pass; fitting takes between quadratic and cubic time in the members (a few seconds for 4,000)",
  guarantee:
    "A value far below the retrained models' shows that the forget samples are still treated as members.",
  doesNotShow:
    "That single samples are safe: it is one threshold for all samples, without shadow models; random labels or ruin raise it too.",
  config: supportVectorConfig,
  compute: svcMembership,
});
