import { canonicalJson } from "../kernel/canonical-json.ts";
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
 */
export function runMismatches(
  original: TrainingRun,
  unlearned: TrainingRun,
  from: string | undefined,
): readonly string[] {
  const differing = COMMON.filter((field) => json(original[field]) !== json(unlearned[field]));
  const reasons = [
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
