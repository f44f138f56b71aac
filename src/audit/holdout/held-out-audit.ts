import { parseForgetSpec } from "../../data/forget-spec.ts";
import { digestArrays } from "../../kernel/digest.ts";
import { LetheError } from "../../kernel/errors.ts";
import { nested, type Progress } from "../../kernel/events.ts";
import { deriveKey, keyFromSeed } from "../../kernel/key.ts";
import {
  type AuditOutcome,
  type AuditRequest,
  copiesNote,
  NO_NUMBERS,
  refused,
  unlessNotFinite,
} from "../audit.ts";
import { drawAuditSets, ENOUGH_VALIDATION } from "../audit-sets.ts";
import { failingControls } from "../controls.ts";
import { findDuplicates } from "../duplicates.ts";
import { openModel } from "../farm/training-job.ts";
import { refusalsOf, sampleRefusals } from "../refusals.ts";
import { type AuditSets, createScorer, type ScoredModel } from "../scored-model.ts";
import { LEAST_REFERENCES } from "../verdict.ts";
import { heldOutFigures } from "./held-out-figures.ts";
import { judgeByHeldOut, STRONGER_EVIDENCE } from "./held-out-verdict.ts";
import { classesGone, judgeClasses } from "./whole-classes.ts";

/** What is to be audited without retrained models. */
export interface HeldOutRequest
  extends Pick<AuditRequest, "data" | "model" | "recipe" | "original" | "unlearned" | "seed" | "runtime"> {
  /** The audited requests as they were asked: whether their samples are as good as drawn at random. */
  readonly specs: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** Of the forgotten samples this share has to have held-out ones of its class: the verdict would be about the others alone. */
const LEAST_WITH_PEERS = 0.9;

/**
 * Audits an unlearned model where no retrained one can be had: does it treat the forgotten samples as held-out ones of the same classes, which
 * no model was trained on? Where both are drawn from one source, a model that saw neither does, and so the test needs no spread of retrained
 * models. It trains no reference; of its controls one has a new last layer.
 *
 * @returns at best `plausible`, never `pass`
 * @throws LETHE_CANCELLED, LETHE_USAGE_AUDIT for language models, and what making controls throws
 * @see docs/decisions/0027-plausible-by-held-out-samples.md
 */
export async function* auditByHeldOut(request: HeldOutRequest): Progress<AuditOutcome> {
  const { data, model, recipe, original, unlearned, runtime, seed, signal } = request;
  const architecture = openModel(model);
  if (architecture.labelShape.length > 0) {
    throw new LetheError(
      "usage",
      "USAGE_AUDIT",
      "Expected a model with one answer a sample for an audit by held-out samples, got a language model. Audit it with --reference retrain:8.",
    );
  }
  const digests = { original: digestArrays(original), unlearned: digestArrays(unlearned) };
  const beforehand = [
    ...refusalsOf({ ...data, references: LEAST_REFERENCES, ...digests }),
    ...request.specs.flatMap(requestRefusals),
  ];
  if (beforehand.length > 0) return refused(beforehand);
  const sets = drawAuditSets(data);
  const gone = classesGone(data);
  const unfit = [...sampleRefusals(sets), ...(gone.size > 0 ? [] : peerRefusals(sets))];
  if (unfit.length > 0) return refused(unfit);

  yield { type: "phase", name: "Making controls", index: 0, of: 2 };
  const [forget, retain] = [data.train.subset(data.forget), data.train.subset(data.retain)];
  // Whole classes are not judged by controls: their verdict cannot be a success.
  const weights =
    gone.size > 0
      ? {}
      : yield* nested(
          failingControls({
            architecture,
            weights: original,
            recipe,
            forget,
            retain,
            key: deriveKey(keyFromSeed(seed), "audit"),
            runtime,
            signal,
          }),
        );

  yield { type: "phase", name: "Measuring", index: 1, of: 2 };
  await using scorer = await createScorer(architecture, sets, runtime);
  const scored = await unlessNotFinite(() => scorer.score(unlearned));
  if (scored === undefined) return refused([NO_NUMBERS]);
  const before = await scorer.score(original);
  if (gone.size > 0) return judgeClasses(gone, before, scored);
  const controls: Record<string, ScoredModel> = {};
  for (const [id, tensors] of Object.entries(weights)) controls[id] = await scorer.score(tensors);
  const heldOut = heldOutFigures(
    { original: before, unlearned: scored, controls },
    forget.count / (forget.count + retain.count),
  );
  const duplicates = findDuplicates(forget, retain, sets);
  return {
    ...judgeByHeldOut(heldOut),
    figures: [],
    heldOut,
    duplicates,
    notes: [
      ...copiesNote(duplicates.exact, duplicates.forget),
      `Judged by ${sets.unseen.count} held-out samples of the ${data.validation.count >= ENOUGH_VALIDATION ? "validation" : "test"} part. Settings that were chosen by looking at them would make them less unseen than they have to be.`,
      "It was not looked at, sample by sample, whether retrained models would answer otherwise: traces that single samples left take retrained models to be seen.",
      ...(before.features === undefined
        ? [
            "No dense layer ends this model, so that a forgetting in the last layer alone could not be looked for.",
          ]
        : []),
    ],
  };
}

/** Samples of one person or group are no draw from the source of all: an honest model treats them otherwise than held-out ones. */
function requestRefusals(spec: string): readonly string[] {
  const kinds = new Set(parseForgetSpec(spec).map(({ kind }) => kind));
  return (["subject", "group", "client"] as const)
    .filter((kind) => kinds.has(kind))
    .map(
      (kind) =>
        `The request is about a ${kind}: its samples are no random draw, and a model that never saw them may treat them otherwise than held-out ones all the same. ${STRONGER_EVIDENCE}`,
    );
}

function peerRefusals({ forget, unseen }: AuditSets): readonly string[] {
  const classes = new Set(unseen.labels);
  const share = forget.labels.filter((label) => classes.has(label)).length / forget.count;
  return share < LEAST_WITH_PEERS
    ? [
        `Only ${(100 * share).toFixed(0)} % of the forgotten samples have held-out samples of their class to be compared with; ${100 * LEAST_WITH_PEERS} % are needed. ${STRONGER_EVIDENCE}`,
      ]
    : [];
}
