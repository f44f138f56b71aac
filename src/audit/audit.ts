import { digestArrays } from "../kernel/digest.ts";
import { isLetheError, LetheError } from "../kernel/errors.ts";
import { nested, type Progress } from "../kernel/events.ts";
import { deriveKey, keyFromSeed } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { RuntimeOptions } from "../runtime/program.ts";
import type { Recipe } from "../training/recipe.ts";
import { type AuditData, drawAuditSets } from "./audit-sets.ts";
import { failingControls } from "./controls.ts";
import { type Duplicates, findDuplicates } from "./duplicates.ts";
import { type FarmOptions, trainModels } from "./farm/model-farm.ts";
import { shareSamples } from "./farm/shared-samples.ts";
import { type ModelSource, openModel, type TrainingJob } from "./farm/training-job.ts";
import { type ComparedModels, type Figure, figuresBy, figuresOf } from "./figures.ts";
import type { HeldOutFigure } from "./holdout/held-out-figures.ts";
import { attackByManyModels, type ManyModelsFigure, type ManyModelsRequest } from "./many-models.ts";
import { referenceRefusals, refusalsOf, sampleRefusals } from "./refusals.ts";
import { measureRelearning, type Relearning } from "./relearning.ts";
import { type AuditSets, createScorer, type ScoredModel } from "./scored-model.ts";
import { textMeasures } from "./text/text-measures.ts";
import { createTextScorer } from "./text/text-model.ts";
import { type AuditVerdict, judgeAudit } from "./verdict.ts";

/** What is to be audited. */
export interface AuditRequest {
  readonly data: AuditData;
  readonly model: ModelSource;
  /** How the original was trained: the references are trained the same way. */
  readonly recipe: Recipe;
  readonly original: ParameterSet;
  readonly unlearned: ParameterSet;
  /** How many models are retrained without the forget samples, and as many with them. */
  readonly references: number;
  /** Models retrained elsewhere, as many as `references`: none is trained then. Whoever gives them answers for what they were trained on. */
  readonly given?: readonly ParameterSet[] | undefined;
  /** Decides the references' weights and orders and every draw. */
  readonly seed: number;
  readonly runtime: RuntimeOptions;
  readonly farm: FarmOptions;
  /** Also teach the models the forget samples again and compare how fast they learn. */
  readonly relearn?: boolean | undefined;
  /** Also judge the method itself by so many originals, unlearned by it. */
  readonly manyModels?: Pick<ManyModelsRequest, "unlearn" | "count"> | undefined;
}

/** The models of an audit as the report draws them. */
export interface AuditedModels {
  readonly sets: AuditSets;
  readonly original: ScoredModel;
  readonly unlearned: ScoredModel;
  readonly retrained: readonly ScoredModel[];
  /** Trained as the original was, from other seeds. */
  readonly trainedWith: readonly ScoredModel[];
  readonly weights: {
    readonly original: ParameterSet;
    readonly unlearned: ParameterSet;
    readonly retrained: readonly ParameterSet[];
  };
}

/** What an audit found. */
export interface AuditOutcome extends AuditVerdict {
  readonly figures: readonly Figure[];
  /** Where held-out samples took the place of retrained models. */
  readonly heldOut?: readonly HeldOutFigure[];
  /** Left out where the comparison was refused before any model was trained. */
  readonly duplicates?: Duplicates;
  readonly models?: AuditedModels;
  /** Where it was asked for. */
  readonly relearning?: Relearning;
  /** Where it was asked for. */
  readonly manyModels?: readonly ManyModelsFigure[];
  /** Facts beside the verdict, in sentences. */
  readonly notes: readonly string[];
}

/**
 * Audits an unlearned model: retrains references without the forget samples, makes controls, takes every measure of all of them and judges.
 *
 * @throws LETHE_CANCELLED, LETHE_TRANSIENT_WRITE, LETHE_USAGE_AUDIT for what cannot be measured of language models, and what training throws. Whatever makes a verdict impossible is
 *   not thrown: the verdict is then `refused`
 */
export async function* audit(request: AuditRequest): Progress<AuditOutcome> {
  const { data, model, recipe, runtime, farm, references, seed } = request;
  const architecture = openModel(model);
  const isText = architecture.labelShape.length > 0;
  if (isText && (request.relearn === true || request.manyModels !== undefined)) {
    throw new LetheError(
      "usage",
      "USAGE_AUDIT",
      "Expected a model with one answer a sample for relearning and attacks by many models, got a language model. Audit it without them.",
    );
  }
  const digests = { original: digestArrays(request.original), unlearned: digestArrays(request.unlearned) };
  const beforehand = refusalsOf({ ...data, references, ...digests });
  if (beforehand.length > 0) return refused(beforehand);
  const sets = drawAuditSets(data);
  const unfit = sampleRefusals(sets);
  if (unfit.length > 0) return refused(unfit);

  yield {
    type: "phase",
    name: `Training ${request.given === undefined ? `${references} references without and ` : ""}${references} with the forgotten samples`,
    index: 0,
    of: 3,
  };
  const jobsOn = (subset: Uint32Array, name: string): readonly TrainingJob[] =>
    Array.from({ length: references }, (_, index) => ({ subset, seed: `${name} ${index} of ${seed}` }));
  const everything = Uint32Array.from([...data.forget, ...data.retain]).sort();
  const { given } = request;
  const jobs = [
    ...(given === undefined ? jobsOn(data.retain, "reference") : []),
    ...jobsOn(everything, "original"),
  ];
  const trained = yield* nested(trainModels({ data: shareSamples(data.train), model, recipe }, jobs, farm));
  const weights = given ?? trained.slice(0, references);
  const weightsWith = trained.slice(-references);
  const mixed = referenceRefusals(
    weights.map((tensors) => digestArrays(tensors)),
    digests,
  );
  if (mixed.length > 0) return refused(mixed);

  yield { type: "phase", name: "Making controls", index: 1, of: 3 };
  const [forget, retain] = [data.train.subset(data.forget), data.train.subset(data.retain)];
  const key = deriveKey(keyFromSeed(seed), "audit");
  const controlWeights = yield* nested(
    failingControls({
      architecture,
      weights: request.original,
      recipe,
      forget,
      retain,
      key,
      runtime,
      signal: farm.signal,
    }),
  );

  yield { type: "phase", name: "Measuring", index: 2, of: 3 };
  const compared = {
    unlearned: request.unlearned,
    original: request.original,
    retrained: weights,
    trainedWith: weightsWith,
  };
  if (isText) {
    await using scorer = await createTextScorer(architecture, sets, runtime);
    const texts = await scoredAll(scorer, compared, controlWeights);
    if (texts === undefined) return refused([NO_NUMBERS]);
    const figures = figuresBy(textMeasures, texts, key);
    const exact = findDuplicates(forget, retain, sets);
    return { ...judgeAudit(figures), figures, duplicates: { ...exact, near: 0 }, notes: textNotes(exact) };
  }
  await using scorer = await createScorer(architecture, sets, runtime);
  const scored = await scoredAll(scorer, compared, controlWeights);
  if (scored === undefined) return refused([NO_NUMBERS]);
  const { controls, ...ofData } = scored;
  const models: AuditedModels = {
    ...ofData,
    sets,
    weights: { original: request.original, unlearned: request.unlearned, retrained: weights },
  };
  const figures = figuresOf(scored, key);
  const duplicates = findDuplicates(forget, retain, sets);
  return {
    ...judgeAudit(figures),
    figures,
    duplicates,
    models,
    notes: notesOf(duplicates, models),
    ...(yield* nested(costlyFigures(request, sets, weights))),
  };
}

/** What is only measured where it was asked for. */
async function* costlyFigures(
  request: AuditRequest,
  sets: AuditSets,
  retrained: readonly ParameterSet[],
): Progress<Pick<AuditOutcome, "relearning" | "manyModels">> {
  const { data, model, recipe, original, unlearned, runtime, farm, seed } = request;
  const relearning =
    request.relearn === true
      ? yield* nested(
          measureRelearning({
            architecture: openModel(model),
            recipe,
            forget: sets.forget,
            original,
            unlearned,
            retrained,
            key: deriveKey(keyFromSeed(seed), "relearning"),
            runtime,
            signal: farm.signal,
          }),
        )
      : undefined;
  const manyModels =
    request.manyModels === undefined
      ? undefined
      : yield* nested(
          attackByManyModels({ ...data, ...request.manyModels, model, recipe, sets, seed, runtime, farm }),
        );
  return { ...(relearning && { relearning }), ...(manyModels && { manyModels }) };
}

/** An outcome without figures: nothing that was computed could change it. */
export function refused(reasons: readonly string[]): AuditOutcome {
  return { verdict: "refused", reasons, controls: [], figures: [], notes: [] };
}

/** Why a model without numbers gets no verdict. */
export const NO_NUMBERS =
  "The unlearned model gives scores that are no numbers (NaN or infinite): there is nothing to compare.";

/** Scores every model of an audit; nothing where the unlearned one gives no numbers. */
async function scoredAll<Model>(
  scorer: { score(weights: ParameterSet): Promise<Model> },
  weights: {
    readonly unlearned: ParameterSet;
    readonly original: ParameterSet;
    readonly retrained: readonly ParameterSet[];
    readonly trainedWith: readonly ParameterSet[];
  },
  controls: Readonly<Record<string, ParameterSet>>,
): Promise<Required<ComparedModels<Model>> | undefined> {
  const score = (tensors: ParameterSet): Promise<Model> => scorer.score(tensors);
  const unlearned = await unlessNotFinite(() => score(weights.unlearned));
  if (unlearned === undefined) return undefined;
  const names = Object.keys(controls);
  return {
    unlearned,
    original: await score(weights.original),
    retrained: await inTurn(weights.retrained, score),
    trainedWith: await inTurn(weights.trainedWith, score),
    controls: Object.fromEntries(
      (await inTurn(Object.values(controls), score)).map((model, index) => [names[index] as string, model]),
    ),
  };
}

/** Scores, or nothing where they are no numbers. */
export async function unlessNotFinite<Value>(work: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isLetheError(error) && error.code === "LETHE_NUMERIC_NOT_FINITE") return undefined;
    throw error;
  }
}

async function inTurn<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

function textNotes({ exact, forget }: Duplicates): readonly string[] {
  return [
    ...copiesNote(exact, forget),
    "What a language model can be made to write was not tried: this audit judges how probable it finds texts.",
    "The truth ratio needs paraphrased and wrong answers, which these texts have not.",
  ];
}

/** Copies that were kept, as a fact beside the verdict. */
export function copiesNote(exact: number, forget: number): readonly string[] {
  return exact > 0
    ? [
        `${exact} of ${forget} forgotten samples are also among the retained ones as exact copies: what they taught stays, and retrained models know it too.`,
      ]
    : [];
}

function notesOf(
  { exact, forget, near, compared }: Duplicates,
  { original }: AuditedModels,
): readonly string[] {
  return [
    ...copiesNote(exact, forget),
    ...(near > 0
      ? [
          `${near} of ${compared} forgotten samples looked at are much nearer to a retained sample than unseen samples are: near copies stay in the model.`,
        ]
      : []),
    ...(original.features === undefined
      ? [
          "No dense layer ends this model, so that a forgetting in the last layer alone could not be looked for.",
        ]
      : []),
  ];
}
