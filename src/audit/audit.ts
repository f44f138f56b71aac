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
import { type Figure, figuresOf } from "./figures.ts";
import { attackByManyModels, type ManyModelsFigure, type ManyModelsRequest } from "./many-models.ts";
import { referenceRefusals, refusalsOf, sampleRefusals } from "./refusals.ts";
import { measureRelearning, type Relearning } from "./relearning.ts";
import { type AuditSets, createScorer, type ScoredModel, type Scorer } from "./scored-model.ts";
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
 * @throws LETHE_CANCELLED, LETHE_TRANSIENT_WRITE, LETHE_USAGE_AUDIT for text models, and what training throws. Whatever makes a verdict impossible is
 *   not thrown: the verdict is then `refused`
 */
export async function* audit(request: AuditRequest): Progress<AuditOutcome> {
  const { data, model, recipe, runtime, farm, references, seed } = request;
  const architecture = openModel(model);
  if (architecture.labelShape.length > 0) {
    throw new LetheError(
      "usage",
      "USAGE_AUDIT",
      "Expected a model with one answer a sample, got one that answers at every position. Language models cannot be audited yet.",
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
    name: `Training ${references} references without and ${references} with the forgotten samples`,
    index: 0,
    of: 3,
  };
  const jobsOn = (subset: Uint32Array, name: string): readonly TrainingJob[] =>
    Array.from({ length: references }, (_, index) => ({ subset, seed: `${name} ${index} of ${seed}` }));
  const everything = Uint32Array.from([...data.forget, ...data.retain]).sort();
  const jobs = [...jobsOn(data.retain, "reference"), ...jobsOn(everything, "original")];
  const trained = yield* nested(trainModels({ data: shareSamples(data.train), model, recipe }, jobs, farm));
  const [weights, weightsWith] = [trained.slice(0, references), trained.slice(references)];
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
  await using scorer = await createScorer(architecture, sets, runtime);
  const unlearned = await scoredUnlessNotFinite(scorer, request.unlearned);
  if (unlearned === undefined) {
    return refused([
      "The unlearned model gives scores that are no numbers (NaN or infinite): there is nothing to compare.",
    ]);
  }
  const models: AuditedModels = {
    sets,
    unlearned,
    original: await scorer.score(request.original),
    retrained: await inTurn(weights, (tensors) => scorer.score(tensors)),
    trainedWith: await inTurn(weightsWith, (tensors) => scorer.score(tensors)),
    weights: { original: request.original, unlearned: request.unlearned, retrained: weights },
  };
  const names = Object.keys(controlWeights);
  const scored = await inTurn(Object.values(controlWeights), (tensors) => scorer.score(tensors));
  const controls = Object.fromEntries(names.map((name, index) => [name, scored[index] as ScoredModel]));
  const figures = figuresOf({ ...models, controls }, key);
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

async function scoredUnlessNotFinite(
  scorer: Scorer,
  weights: ParameterSet,
): Promise<ScoredModel | undefined> {
  try {
    return await scorer.score(weights);
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

function notesOf(
  { exact, forget, near, compared }: Duplicates,
  { original }: AuditedModels,
): readonly string[] {
  return [
    ...(exact > 0
      ? [
          `${exact} of ${forget} forgotten samples are also among the retained ones as exact copies: what they taught stays, and retrained models know it too.`,
        ]
      : []),
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
