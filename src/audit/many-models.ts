import type { Samples } from "../data/dataset.ts";
import { nested, type Progress } from "../kernel/events.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { unlearningLira } from "../metrics/attacks/unlearning-lira.ts";
import { competitionScore, forgettingEpsilons, forgettingQuality } from "../metrics/forgetting-quality.ts";
import { klom } from "../metrics/klom.ts";
import { type MarginTable, margins } from "../metrics/margins.ts";
import { predictedClasses } from "../metrics/predictions.ts";
import type { ScoredSamples } from "../metrics/scored-samples.ts";
import { mean, quantile } from "../metrics/statistics/summary.ts";
import type { RuntimeOptions } from "../runtime/program.ts";
import { createPredictor, type Predictor } from "../training/predictor.ts";
import { type FarmOptions, storeModels } from "./farm/model-farm.ts";
import { openModelStore } from "./farm/model-store.ts";
import { shareSamples } from "./farm/shared-samples.ts";
import {
  type FarmHeader,
  jobDigest,
  openModel,
  type TrainingJob,
  type UnlearningStep,
} from "./farm/training-job.ts";
import type { AuditSets } from "./scored-model.ts";

/** What is done many times over. */
export interface ManyModelsRequest extends Pick<FarmHeader, "model" | "recipe"> {
  readonly train: Samples;
  readonly validation: Samples;
  /** Positions in `train`, ascending. */
  readonly forget: Uint32Array;
  readonly retain: Uint32Array;
  readonly sets: AuditSets;
  readonly unlearn: Omit<UnlearningStep, "forget">;
  /** Originals, each unlearned once, and as many retrained models. */
  readonly count: number;
  readonly seed: number;
  readonly runtime: RuntimeOptions;
  readonly farm: FarmOptions;
}

/** One figure over many models, beside what nothing done and nothing to do read. */
export interface ManyModelsFigure {
  readonly id: "u-lira" | "klom" | "forgetting-quality";
  readonly title: string;
  readonly set: "forget" | "retain" | "unseen";
  /** The originals, nothing removed. */
  readonly original: number;
  readonly unlearned: number;
  /** Retrained models against other retrained ones: the floor, or the best score. */
  readonly retrained: number;
}

/** Models a side below which no halves of them can be compared. */
export const LEAST_MODELS = 8;
/** Models a side below which the competition's scale has too few steps to mean anything. */
const ENOUGH_FOR_SCORE = 64;
/** Models in a half from which KLoM's histograms have 20 bins, as its authors use for 100; 10 for fewer. */
const ENOUGH_FOR_BINS = 75;

/**
 * Trains many originals, unlearns each of them by one method, retrains as many models without the forget samples, and attacks: can single
 * samples be told apart in unlearned and retrained models? U-LiRA on forgotten and on retained samples, KLoM with its floor, the
 * competition's score from 64 models on. It judges the method on this request, not one model.
 *
 * Floors come from halves of the retrained models; KLoM, whose value falls with the number of models, is taken between halves throughout.
 *
 * @returns figures in the order of a table
 * @throws what {@link storeModels} throws, LETHE_USAGE_METHOD and what the method throws
 */
export async function* attackByManyModels(request: ManyModelsRequest): Progress<readonly ManyModelsFigure[]> {
  const { train, validation, forget, retain, model, recipe, unlearn, count, seed, farm } = request;
  const header: FarmHeader = {
    data: shareSamples(train),
    model,
    recipe,
    validation: validation.count === 0 ? undefined : shareSamples(validation),
  };
  const everything = Uint32Array.from([...forget, ...retain]).sort();
  const jobsOn = (subset: Uint32Array, name: string): readonly TrainingJob[] =>
    Array.from({ length: count }, (_, index) => ({ subset, seed: `${name} ${index} of ${seed}` }));
  const originals = jobsOn(everything, "original");
  const retrained = jobsOn(retain, "reference");
  const unlearned = originals.map((job) => ({ ...job, unlearn: { ...unlearn, forget } }));
  yield {
    type: "phase",
    name: `Training ${count} models with and ${count} without the forgotten samples`,
    index: 0,
    of: 3,
  };
  yield* nested(storeModels(header, [...originals, ...retrained], farm));
  yield { type: "phase", name: `Unlearning from ${count} models`, index: 1, of: 3 };
  yield* nested(storeModels(header, unlearned, farm));
  yield { type: "phase", name: "Attacking", index: 2, of: 3 };
  const architecture = openModel(model);
  await using predictor = await createPredictor(architecture, request.runtime);
  const store = openModelStore(farm.store);
  const scoresOf = async (jobs: readonly TrainingJob[]): Promise<Scores> => {
    const scores: Scores = { forget: [], retain: [], unseen: [], retainAccuracy: [], testAccuracy: [] };
    // One model at a time: of a large one many do not fit into memory.
    for (const job of jobs) {
      await scoreInto(
        scores,
        predictor,
        store.require(jobDigest(header, job)),
        request.sets,
        architecture.classes,
      );
    }
    return scores;
  };
  const sides = {
    original: await scoresOf(originals),
    unlearned: await scoresOf(unlearned),
    retrained: await scoresOf(retrained),
  };
  return figuresOf(sides);
}

interface Scores {
  /** [models][samples] */
  readonly forget: Float64Array[];
  readonly retain: Float64Array[];
  readonly unseen: Float64Array[];
  /** [models] */
  readonly retainAccuracy: number[];
  readonly testAccuracy: number[];
}

type Sides = Readonly<Record<"original" | "unlearned" | "retrained", Scores>>;

async function scoreInto(
  scores: Scores,
  predictor: Predictor,
  weights: ParameterSet,
  sets: AuditSets,
  classes: number,
): Promise<void> {
  const scored = async (name: keyof AuditSets): Promise<ScoredSamples> => ({
    logits: await predictor.logitsOf(weights, sets[name]),
    labels: sets[name].labels,
    classes,
  });
  const retain = await scored("retain");
  scores.forget.push(margins(await scored("forget")));
  scores.retain.push(margins(retain));
  scores.unseen.push(margins(await scored("unseen")));
  scores.retainAccuracy.push(accuracyOf(retain));
  scores.testAccuracy.push(accuracyOf(await scored("test")));
}

function accuracyOf({ logits, labels, classes }: ScoredSamples): number {
  const predicted = predictedClasses(logits, classes);
  return mean(Float64Array.from(labels, (label, row) => Number(predicted[row] === label)));
}

/** Every figure of a table over models of three kinds. */
function figuresOf({ original, unlearned, retrained }: Sides): readonly ManyModelsFigure[] {
  const row = (
    id: ManyModelsFigure["id"],
    title: string,
    set: ManyModelsFigure["set"],
    value: (models: Scores) => number,
    floor: number,
  ): ManyModelsFigure => ({
    id,
    title,
    set,
    original: value(original),
    unlearned: value(unlearned),
    retrained: floor,
  });
  const lira = (["forget", "retain"] as const).flatMap((set) => {
    const [a, b] = halves(retrained[set]);
    const floor = unlearningLira(a, b);
    const attack = (models: Scores): ReturnType<typeof unlearningLira> =>
      unlearningLira(models[set], retrained[set]);
    return [
      row(
        "u-lira",
        "U-LiRA, mean accuracy",
        set,
        (models) => attack(models).meanAccuracy,
        floor.meanAccuracy,
      ),
      row(
        "u-lira",
        "U-LiRA, accuracy that 5 % of the samples exceed",
        set,
        (models) => attack(models).p95Accuracy,
        floor.p95Accuracy,
      ),
    ];
  });
  const divergences = (["forget", "retain", "unseen"] as const).flatMap((set) => {
    const [a, b] = halves(retrained[set]);
    const settings = { bins: a.length < ENOUGH_FOR_BINS ? 10 : 20 };
    const floor = klom(a, b, settings);
    const between = (models: Scores): readonly Float64Array[] => {
      const [x, y] = halves(models[set]);
      return [klom(x, b, settings), klom(y, a, settings)];
    };
    return [
      row("klom", "KLoM, mean in nats", set, (models) => mean(between(models).map(mean)), mean(floor)),
      row(
        "klom",
        "KLoM, 95 % quantile in nats",
        set,
        (models) => mean(between(models).map((values) => quantile(values, 0.95))),
        quantile(floor, 0.95),
      ),
    ];
  });
  return [...lira, ...divergences, ...scoreRows({ original, unlearned, retrained }, row)];
}

/** The competition's score, where there are enough models. Both sides are of equal number: the score of retrained ones is that of halves. */
function scoreRows(
  { retrained }: Sides,
  row: (
    id: ManyModelsFigure["id"],
    title: string,
    set: ManyModelsFigure["set"],
    value: (models: Scores) => number,
    floor: number,
  ) => ManyModelsFigure,
): readonly ManyModelsFigure[] {
  const count = retrained.forget.length;
  if (count < ENOUGH_FOR_SCORE) return [];
  const quality = (x: MarginTable, y: MarginTable): number =>
    forgettingQuality(forgettingEpsilons(x, y), x.length);
  const [a, b] = halves(retrained.forget);
  return [
    row(
      "forgetting-quality",
      `Score of the NeurIPS 2023 competition with ${count} models a side (retrained: ${a.length})`,
      "forget",
      (models) =>
        competitionScore(
          quality(models.forget, retrained.forget),
          { unlearned: mean(models.retainAccuracy), retrained: mean(retrained.retainAccuracy) },
          { unlearned: mean(models.testAccuracy), retrained: mean(retrained.testAccuracy) },
        ),
      quality(a, b),
    ),
  ];
}

/** Two halves of equal size. */
function halves<Model>(models: readonly Model[]): readonly [readonly Model[], readonly Model[]] {
  const half = models.length >> 1;
  return [models.slice(0, half), models.slice(half, 2 * half)];
}
