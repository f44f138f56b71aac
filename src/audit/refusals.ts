import type { Samples } from "../data/dataset.ts";
import type { Digest } from "../kernel/digest.ts";
import type { AuditSets } from "./scored-model.ts";
import { LEAST_REFERENCES } from "./verdict.ts";

/** Unseen samples below which no attack can be fitted and no interval means anything. */
const LEAST_UNSEEN = 20;
/** Forgotten samples below which shares move in steps of more than a tenth. */
const LEAST_FORGET = 10;

/** What an audit is asked to compare, before anything was computed. */
export interface Comparison {
  readonly train: Samples;
  readonly forget: ArrayLike<number>;
  readonly retain: ArrayLike<number>;
  readonly references: number;
  readonly original: Digest;
  readonly unlearned: Digest;
}

/** Why no verdict can come of a comparison, whatever the figures are: one sentence each; empty when one can. */
export function refusalsOf(comparison: Comparison): readonly string[] {
  const { train, forget, retain, references } = comparison;
  if (forget.length === 0) {
    return [
      "Nothing was forgotten: the run names no request that the original has not. Audit what `lethe unlearn` wrote.",
    ];
  }
  const reasons: string[] = [];
  if (forget.length < LEAST_FORGET) {
    reasons.push(
      `Only ${forget.length} samples were forgotten; at least ${LEAST_FORGET} are needed for figures that mean something. ` +
        "For fewer, retraining is the only answer this audit can confirm.",
    );
  }
  const gone = new Set(Array.from(forget));
  if (Array.from(retain).some((position) => gone.has(position))) {
    reasons.push(
      "The references would be trained on forgotten samples, and could not show what a model without them is like.",
    );
  }
  const labels = new Set(
    [...Array.from(forget), ...Array.from(retain)].map((position) => train.labels[position]),
  );
  // Texts have targets in place of classes.
  if (labels.size < 2 && train.targets === undefined) {
    reasons.push(
      "All training samples are of one class: every model answers the same, so that nothing can be told apart.",
    );
  }
  if (references < LEAST_REFERENCES) {
    reasons.push(
      `${references} retrained ${references === 1 ? "reference is" : "references are"} too few to know how much retrained models differ from each ` +
        `other; at least ${LEAST_REFERENCES} are needed, 8 or more are better.`,
    );
  }
  return reasons;
}

/** Why the samples at hand do not do. */
export function sampleRefusals({ unseen, test }: AuditSets): readonly string[] {
  return [
    ...(unseen.count < LEAST_UNSEEN || test.count < LEAST_UNSEEN
      ? [
          `There are ${unseen.count} unseen and ${test.count} test samples; at least ${LEAST_UNSEEN} of each are needed to tell members from others. ` +
            "Use data with a larger test part, or train with a validation share.",
        ]
      : []),
  ];
}

/** Why a reference cannot be one: it is a model that saw the data. */
export function referenceRefusals(
  references: readonly Digest[],
  { original, unlearned }: Pick<Comparison, "original" | "unlearned">,
): readonly string[] {
  return [
    ...(references.includes(original)
      ? ["A reference is bit by bit the original model, which was trained on the forgotten samples."]
      : []),
    ...(references.includes(unlearned)
      ? [
          "A reference is bit by bit the unlearned model, which would be judged by itself. Give the audit another --seed.",
        ]
      : []),
    ...(new Set(references).size < references.length
      ? [
          "Two references are bit by bit the same model, so that they do not show how much retrained models differ.",
        ]
      : []),
  ];
}
