import { canonicalJson } from "../kernel/canonical-json.ts";
import type { Digest } from "../kernel/digest.ts";
import type { TrainingRun } from "../storage/training-run.ts";

/** What two runs must have in common for one to be the other after unlearning. */
const COMMON = ["data", "model", "adaptation", "sisa", "seed", "samples", "validation", "settings"] as const;

/** What was forgotten between two runs of one model. */
export interface ForgottenBetween {
  /** Positions in the training part that the later run forgot and the earlier had not, ascending. */
  readonly forget: Uint32Array;
  /** Positions of neither's requests, ascending. */
  readonly retain: Uint32Array;
}

/**
 * Why a run cannot be what unlearning made of another: one sentence each; empty when it can.
 *
 * @param from - digest of the model the unlearned one came from, as `lethe unlearn` wrote it
 * @param trainCount - samples of the training part that the runs name
 */
export function runMismatches(
  original: TrainingRun,
  unlearned: TrainingRun,
  from: string | undefined,
  trainCount: number,
): readonly string[] {
  const differing = COMMON.filter((field) => json(original[field]) !== json(unlearned[field]));
  const outside = unlearned.requests.flatMap(({ positions }) => positions.filter((at) => at >= trainCount));
  const reasons = [
    ...(outside.length > 0
      ? [
          `${outside.length} forgotten ${outside.length === 1 ? "position is" : "positions are"} not of the training part, which has ${trainCount} samples: what was never trained on cannot be forgotten. Are these the data the model was trained on?`,
        ]
      : []),
    ...(differing.length > 0
      ? [`The two runs are not of one training: they differ in ${differing.join(", ")}.`]
      : []),
    ...(original.requests.some((request, at) => json(request) !== json(unlearned.requests[at]))
      ? [
          "The original has forgotten requests that the unlearned model's run does not name: it is not what this model came from.",
        ]
      : []),
  ];
  const isOneStep = unlearned.requests.length === original.requests.length + 1;
  if (reasons.length === 0 && isOneStep && from !== undefined && from !== original.digest) {
    return ["The unlearned model came from other weights than the original's (their digests differ)."];
  }
  return reasons;
}

/** The positions that were taken away between two runs, and those that are left. */
export function forgottenBetween(
  original: TrainingRun,
  unlearned: TrainingRun,
  trainCount: number,
): ForgottenBetween {
  const positionsOf = (run: TrainingRun): ReadonlySet<number> =>
    new Set(run.requests.flatMap(({ positions }) => positions));
  const [before, gone] = [positionsOf(original), positionsOf(unlearned)];
  const all = Uint32Array.from({ length: trainCount }, (_, position) => position);
  return {
    forget: all.filter((position) => gone.has(position) && !before.has(position)),
    retain: all.filter((position) => !gone.has(position)),
  };
}

function json(value: unknown): string {
  return value === undefined ? "" : canonicalJson(JSON.parse(JSON.stringify(value)));
}

/** What samples references may have been trained on, by {@link digestSamples}. */
export interface TrainingDigests {
  /** What was left after the audited requests: the only right answer. */
  readonly retain: Digest;
  /** All training samples, the forgotten ones among them. */
  readonly all: Digest;
}

/** Fields a reference shares with the model it is to be compared with; its seed is its own. */
const COMMON_WITH_REFERENCE = COMMON.filter((field) => field !== "seed");

/**
 * Why a run cannot be a reference: one sentence each, with the name it goes by; empty when it can. What it was trained on is known by the digest
 * its command recorded.
 */
export function referenceMismatches(
  name: string,
  reference: TrainingRun,
  unlearned: TrainingRun,
  digests: TrainingDigests,
): readonly string[] {
  const differing = COMMON_WITH_REFERENCE.filter(
    (field) => json(reference[field]) !== json(unlearned[field]),
  );
  if (differing.length > 0) {
    return [`The reference ${name} is of another training: it differs in ${differing.join(", ")}.`];
  }
  if (reference.trainedOn === digests.retain) return [];
  const make = "Make one with `lethe unlearn --method retrain` on the same request.";
  if (reference.trainedOn === digests.all) {
    return [
      `The reference ${name} was trained on the forgotten samples (by the digest of its training samples), and cannot show what a model without them is like. ${make}`,
    ];
  }
  return [
    reference.trainedOn === undefined
      ? `The reference ${name} does not say what it was trained on: an earlier version wrote it. ${make}`
      : `The reference ${name} was trained on other samples than the retained ones (the digests differ); forgotten ones may be among them. ${make}`,
  ];
}
