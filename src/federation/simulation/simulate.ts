import type { Dataset } from "../../data/dataset.ts";
import { type CodecConfig, codecConfigSchema } from "../../history/config.ts";
import type { History } from "../../history/store.ts";
import type { Json } from "../../kernel/canonical-json.ts";
import { type Digest, digestArrays } from "../../kernel/digest.ts";
import type { Progress } from "../../kernel/events.ts";
import { deriveKey, type Key, keyFromSeed } from "../../kernel/key.ts";
import type { ModelLayout } from "../../kernel/layout.ts";
import { flatten } from "../../kernel/parameters.ts";
import { agreement } from "../../metrics/accuracy.ts";
import { distance, parameterDistance } from "../../metrics/distance.ts";
import { type Architecture, initialWeights, layoutOfArchitecture } from "../../models/architecture.ts";
import type { RuntimeOptions } from "../../runtime/program.ts";
import { createPredictor } from "../../training/predictor.ts";
import { createTrainer } from "../../training/trainer.ts";
import type { FinishedRound, RoundsOptions } from "../rounds.ts";
import { checkMode } from "../unlearning/check-mode.ts";
import { checkPlan } from "../unlearning/check-plan.ts";
import type { Diagnosis, Evidence } from "../unlearning/contract.ts";
import { findRule } from "../unlearning/index.ts";
import type { RunProgress } from "./checkpoint.ts";
import type { SimulationConfig } from "./config.ts";
import { historyBudget } from "./history-budget.ts";
import { createMeasurer, type Measurement } from "./measurements.ts";
import { createPopulation, type Population } from "./population.ts";
import { pointOf, type Stopwatch, trainWithHistory, type Work } from "./train-with-history.ts";
import { unlearnFromHistory } from "./unlearn.ts";
import { judge, type Verdict } from "./verdict.ts";

/** What a simulation works with besides its settings. */
export interface SimulationResources {
  readonly dataset: Dataset;
  readonly architecture: Architecture;
  readonly runtime: RuntimeOptions;
  /**
   * Opens the history of this run, new or as a killed run left it.
   *
   * @param name - `main`, or the place of a codec in `codecCurve`
   */
  openHistory(
    name: string,
    header: {
      readonly layout: ModelLayout;
      readonly codec: CodecConfig;
      readonly key: Key;
      readonly facts: Json;
      readonly initialWeights: Float32Array;
    },
  ): Promise<History>;
  readonly stopwatch?: Stopwatch;
  readonly signal?: AbortSignal;
}

/** A model of the simulation and what was measured of it. */
export interface SimulatedModel {
  readonly weights: Float32Array;
  readonly measurement: Measurement;
  readonly seconds: number;
  readonly clientRounds: number;
  readonly localSteps: number;
  /** Share of test samples predicted as by the retrained model. */
  readonly agreement: number | undefined;
  readonly digest: Digest;
}

/** A further codec's history and what unlearning from it gives. */
export interface CodecPoint {
  readonly codec: CodecConfig;
  readonly storedBytes: number;
  readonly bitsPerParameter: number;
  readonly accuracy: number;
  readonly attackSuccess: number | undefined;
  readonly weights: Float32Array;
}

/** Everything a simulation found. */
export interface SimulationOutcome {
  readonly layout: ModelLayout;
  readonly population: Population;
  readonly trained: SimulatedModel;
  readonly unlearned: SimulatedModel;
  readonly retrained: SimulatedModel | undefined;
  /** Retrained in other batch orders: the noise floor. */
  readonly retrainedAgain: SimulatedModel | undefined;
  readonly fineTuned: SimulatedModel | undefined;
  /** The unlearned model before the repair round, where there was one. */
  readonly beforeRepair: Measurement | undefined;
  readonly series: { readonly trained: RunProgress["series"]; readonly retrained: RunProgress["series"] };
  readonly storage: Awaited<ReturnType<History["storage"]>>;
  readonly historyDigest: Digest;
  readonly diagnosis: Diagnosis;
  readonly evidence: Evidence;
  readonly codecCurve: readonly CodecPoint[];
  readonly parameterDistance: number | undefined;
  /** ‖w_T − w_unlearned‖. */
  readonly correctionNorm: number;
  readonly verdict: Verdict | undefined;
}

/**
 * A federated run in one process: training with a stored history, server-side unlearning from it, and the references it is
 * judged by. A killed run goes on after its last accepted round and ends with the same digests.
 *
 * @throws LETHE_USAGE_METHOD, LETHE_USAGE_CONFIG before anything is done; LETHE_USAGE_OTHER_HISTORY; what rounds, histories
 *   and the rule throw
 */
export async function* simulate(
  config: SimulationConfig,
  resources: SimulationResources,
): Progress<SimulationOutcome> {
  const { dataset, architecture, signal } = resources;
  // Now and not after hours of training.
  const { method, settings } = config.unlearn;
  const rule = findRule(method);
  checkMode(method, rule.demands(settings), {
    retention: config.historyMode,
    scope: config.unlearn.scope,
    rounds: config.rounds,
    server: config.server,
  });
  const key = keyFromSeed(config.seed);
  const layout = layoutOfArchitecture(architecture);
  const rateOfRound = historyBudget(config, layout.length);
  const population = createPopulation(config, dataset, deriveKey(key, "population"));
  const keptClients = config.clients - population.leavers.size;
  checkPlan(rule, { optimizer: config.local.optimizer.id, keptClients });
  const start = flatten(layout, initialWeights(architecture, deriveKey(key, "initial")));
  await using trainer = await createTrainer(architecture, config.local.optimizer, resources.runtime);
  await using predictor = await createPredictor(architecture, resources.runtime);
  const measurer = createMeasurer(predictor, layout, dataset.test, population, config.curveSamples);
  const rounds: Omit<RoundsOptions, "from" | "to"> = {
    trainer,
    layout,
    clients: population.clients,
    local: config.local,
    participation: config.participation,
    weighting: config.weighting,
    server: config.server,
    key: deriveKey(key, "rounds"),
    ...(signal === undefined ? {} : { signal }),
  };
  const { retrain: isCompared, retrainAgain, fineTuneRounds } = config.references;
  const isRepeated = isCompared && retrainAgain;
  const isFineTuned = isCompared && fineTuneRounds > 0;
  const phases =
    2 + [isCompared, isRepeated, isFineTuned, config.codecCurve.length > 0].filter(Boolean).length;
  let phase = 0;
  const begin = (name: string) => ({ type: "phase", name, index: phase++, of: phases }) as const;

  yield begin("training");
  const header = { layout, key: deriveKey(key, "history"), facts: factsOf(config), initialWeights: start };
  const history = await resources.openHistory("main", { ...header, codec: inMode(config.codec, config) });
  const others: History[] = [];
  for (const [index, codec] of config.codecCurve.entries()) {
    others.push(await resources.openHistory(`curve-${index}`, { ...header, codec: inMode(codec, config) }));
  }
  try {
    const training = yield* trainWithHistory(
      [history, ...others],
      start,
      config,
      rounds,
      measurer,
      resources.stopwatch,
      rateOfRound,
    );
    const unlearnInputs = {
      config,
      runtime: resources.runtime,
      architecture,
      layout,
      population,
      measurer,
      rounds,
      key,
      start,
    };

    for (const store of [history, ...others]) await store.compact();

    yield begin("unlearning");
    const main = yield* unlearnFromHistory(history, training, config.unlearn, unlearnInputs);

    const references: { retrained?: Work; retrainedAgain?: Work; fineTuned?: Work } = {};
    let retrainedSeries: RunProgress["series"] = [];
    if (isCompared) {
      yield begin("retraining without the removed clients");
      const onRound = async (round: FinishedRound): Promise<void> => {
        retrainedSeries = [...retrainedSeries, pointOf(round, await measurer.glance(round.state.weights))];
      };
      const order = { method: "retrain", settings: {}, help: "none", onRound } as const;
      references.retrained = yield* unlearnFromHistory(history, training, order, unlearnInputs);
    }
    if (isRepeated) {
      yield begin("retraining again, in other batch orders");
      const order = { method: "retrain", settings: {}, help: "none" } as const;
      const otherOrders = { ...rounds, key: deriveKey(key, "rounds", "again") };
      references.retrainedAgain = yield* unlearnFromHistory(history, training, order, {
        ...unlearnInputs,
        rounds: otherOrders,
      });
    }
    if (isFineTuned) {
      yield begin("fine-tuning, the control");
      const settings = { rounds: fineTuneRounds };
      const order = { method: "fine-tune", settings, help: "none" } as const;
      references.fineTuned = yield* unlearnFromHistory(history, training, order, unlearnInputs);
    }

    const codecCurve: CodecPoint[] = [];
    if (others.length > 0) {
      yield begin("unlearning from other codecs' histories");
      for (const [index, other] of others.entries()) {
        const point = yield* unlearnFromHistory(other, training, config.unlearn, unlearnInputs);
        const storage = await other.storage();
        const { accuracy, attackSuccess } = await measurer.measure(point.weights);
        codecCurve.push({
          codec: config.codecCurve[index] as CodecConfig,
          storedBytes: storage.bytesOnDisk,
          bitsPerParameter: storage.bitsPerParameter,
          accuracy,
          attackSuccess,
          weights: point.weights,
        });
      }
    }

    const describe = async (model: Work, reference?: Measurement): Promise<SimulatedModel> => {
      const measurement = await measurer.measure(model.weights);
      return {
        ...model,
        measurement,
        agreement: reference && agreement(measurement.predicted, reference.predicted),
        digest: digestArrays(new Map([["weights", model.weights]])),
      };
    };
    const retrained = references.retrained && (await describe(references.retrained));
    const reference = retrained?.measurement;
    const trained = await describe(training, reference);
    const unlearned = await describe(main, reference);
    const fineTuned = references.fineTuned && (await describe(references.fineTuned, reference));
    const retrainedAgain =
      references.retrainedAgain && (await describe(references.retrainedAgain, reference));
    return {
      layout,
      population,
      trained,
      unlearned,
      retrained,
      retrainedAgain,
      fineTuned,
      beforeRepair: main.beforeRepair,
      series: { trained: training.series, retrained: retrainedSeries },
      storage: await history.storage(),
      historyDigest: (await history.rounds()).at(-1)?.digest ?? history.genesis,
      diagnosis: main.diagnosis,
      evidence: main.evidence,
      codecCurve,
      parameterDistance:
        retrained && parameterDistance(unlearned.weights, trained.weights, retrained.weights),
      correctionNorm: distance(trained.weights, unlearned.weights),
      verdict:
        retrained &&
        judge(
          {
            trained: trained.measurement,
            unlearned: unlearned.measurement,
            retrained: retrained.measurement,
            retrainedAgain: retrainedAgain?.measurement,
            fineTuned: fineTuned?.measurement,
          },
          population.attack?.leaves ?? false,
        ),
    };
  } finally {
    for (const store of [history, ...others]) await store.close();
  }
}

/** A codec in the run's mode; defaults are left out, as in histories written before there were modes or encryption. */
function inMode(codec: CodecConfig, { historyMode, encryptHistory }: SimulationConfig): CodecConfig {
  const retention = historyMode.mode === "full" ? {} : { retention: historyMode };
  return codecConfigSchema.parse({
    ...codec,
    ...retention,
    ...(encryptHistory ? { encryption: "aes-256-gcm" } : {}),
  });
}

/** The training log that the unlearning rules read, kept in the history's header. */
function factsOf(config: SimulationConfig): Json {
  const { data, model, clients, rounds, partition, local, participation, weighting, server, seed } = config;
  const { attack, attackers, leaverWeight, sizes, samplesPerClient, historyBudgetBytes } = config;
  const facts = {
    data,
    model,
    clients,
    rounds,
    partition,
    sizes,
    samplesPerClient,
    local,
    participation,
    weighting,
    server,
    historyBudgetBytes,
  };
  const adversary = {
    attack,
    attackers,
    leaverWeight,
    leavers: leaverWeight === 1 ? undefined : config.unlearn.clients,
  };
  return JSON.parse(JSON.stringify({ ...facts, ...adversary, seed }));
}
