import type { Dataset } from "../../data/dataset.ts";
import type { CodecConfig } from "../../history/config.ts";
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
import type { ServerState } from "../aggregation.ts";
import { type FinishedRound, type RoundsOptions, runRounds } from "../rounds.ts";
import type { Diagnosis, Evidence } from "../unlearning/contract.ts";
import { decodeCheckpoint, encodeCheckpoint, type RunProgress } from "./checkpoint.ts";
import type { SimulationConfig } from "./config.ts";
import { createMeasurer, type Measurement, type Measurer } from "./measurements.ts";
import { createPopulation, type Population } from "./population.ts";
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
  /** Where the seconds of training are kept, so that a resumed run knows them too; outside the history's digests. */
  readonly stopwatch?: { read(): number; write(seconds: number): void };
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
 */
export async function* simulate(
  config: SimulationConfig,
  resources: SimulationResources,
): Progress<SimulationOutcome> {
  const { dataset, architecture, signal } = resources;
  const key = keyFromSeed(config.seed);
  const layout = layoutOfArchitecture(architecture);
  const population = createPopulation(config, dataset, deriveKey(key, "population"));
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
  const phases = 2 + (config.references.retrain ? 2 : 0) + (config.codecCurve.length > 0 ? 1 : 0);
  let phase = 0;
  const begin = (name: string) => ({ type: "phase", name, index: phase++, of: phases }) as const;

  yield begin("training");
  const header = { layout, key: deriveKey(key, "history"), facts: factsOf(config), initialWeights: start };
  const history = await resources.openHistory("main", { ...header, codec: config.codec });
  const others: History[] = [];
  for (const [index, codec] of config.codecCurve.entries()) {
    others.push(await resources.openHistory(`curve-${index}`, { ...header, codec }));
  }
  try {
    const training = yield* trainWithHistory(
      [history, ...others],
      start,
      config,
      rounds,
      measurer,
      resources.stopwatch,
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

    yield begin("unlearning");
    const main = yield* unlearnFromHistory(history, training, unlearnInputs);

    const retraining = config.references.retrain
      ? yield* (async function* () {
          yield begin("retraining without the removed clients");
          return yield* retrain(start, config, rounds, population, measurer);
        })()
      : undefined;
    const fineTuning =
      config.references.retrain && config.references.fineTuneRounds > 0
        ? yield* (async function* () {
            yield begin("fine-tuning, the control");
            return yield* fineTune(training.weights, config, rounds, population);
          })()
        : undefined;

    const codecCurve: CodecPoint[] = [];
    if (others.length > 0) {
      yield begin("unlearning from other codecs' histories");
      for (const [index, other] of others.entries()) {
        const point = yield* unlearnFromHistory(other, training, unlearnInputs);
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
    const retrained = retraining && (await describe(retraining));
    const reference = retrained?.measurement;
    const trained = await describe(training, reference);
    const unlearned = await describe(main, reference);
    const fineTuned = fineTuning && (await describe(fineTuning, reference));
    return {
      layout,
      population,
      trained,
      unlearned,
      retrained,
      fineTuned,
      beforeRepair: main.beforeRepair,
      series: { trained: training.series, retrained: retraining?.series ?? [] },
      storage: await history.storage(),
      historyDigest: (await history.verify()).head,
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
            fineTuned: fineTuned?.measurement,
          },
          population.attack?.leaves ?? false,
        ),
    };
  } finally {
    for (const store of [history, ...others]) await store.close();
  }
}

/** Weights and what it cost to get them. */
interface Work {
  readonly weights: Float32Array;
  readonly seconds: number;
  readonly clientRounds: number;
  readonly localSteps: number;
}

/** Rounds with every finished one accepted by the histories; goes on where they end. */
async function* trainWithHistory(
  histories: readonly History[],
  start: Float32Array,
  config: SimulationConfig,
  rounds: Omit<RoundsOptions, "from" | "to">,
  measurer: Measurer,
  stopwatch: SimulationResources["stopwatch"],
): Progress<Work & RunProgress> {
  const { length } = start;
  const [history] = histories as readonly [History, ...History[]];
  const resumed = await history.resume();
  const checkpoint = resumed?.checkpoint && decodeCheckpoint(resumed.checkpoint, length);
  let progress: RunProgress = checkpoint?.progress ?? { localSteps: 0, clientRounds: 0, series: [] };
  const state: ServerState = {
    weights: resumed?.weights ?? start,
    velocity: checkpoint?.velocity ?? new Float32Array(length),
  };
  let seconds = resumed === undefined ? 0 : (stopwatch?.read() ?? 0);
  let since = performance.now();
  const accept = async (round: FinishedRound): Promise<void> => {
    const worked = (performance.now() - since) / 1000;
    const seen = await measurer.glance(round.state.weights);
    progress = advance(progress, round, seen);
    const input = {
      round: round.round,
      participants: round.contributions.map(({ client, weight, update, squaredGradient }) => ({
        client,
        weight,
        update,
        ...(squaredGradient === undefined ? {} : { auxiliary: { "squared-gradient": squaredGradient } }),
      })),
      weights: round.state.weights,
      checkpoint: encodeCheckpoint(
        config.server.momentum > 0 ? round.state.velocity : new Float32Array(0),
        progress,
      ),
    };
    // The main history last: a round that it holds is held by all, so that a killed run goes on in step.
    for (const other of histories.slice(1)) await catchUp(other, input);
    const storing = performance.now();
    await history.acceptRound(input);
    seconds += worked + (performance.now() - storing) / 1000;
    stopwatch?.write(seconds);
    since = performance.now();
  };
  const from = (resumed?.round ?? -1) + 1;
  const end = yield* runRounds(state, { ...rounds, from, to: config.rounds, onRound: accept });
  return { ...progress, weights: end.weights, seconds };
}

/** Accepts a round unless the history has it already. */
async function catchUp(history: History, input: Parameters<History["acceptRound"]>[0]): Promise<void> {
  const last = await history.resume();
  if (last === undefined || last.round < input.round) await history.acceptRound(input);
}

/** The same run without the leavers, from the same start. */
async function* retrain(
  start: Float32Array,
  config: SimulationConfig,
  rounds: Omit<RoundsOptions, "from" | "to">,
  population: Population,
  measurer: Measurer,
): Progress<Work & { readonly series: RunProgress["series"] }> {
  let progress: RunProgress = { localSteps: 0, clientRounds: 0, series: [] };
  let seconds = 0;
  let since = performance.now();
  const onRound = async (round: FinishedRound): Promise<void> => {
    seconds += (performance.now() - since) / 1000;
    progress = advance(progress, round, await measurer.glance(round.state.weights));
    since = performance.now();
  };
  const state = { weights: start, velocity: new Float32Array(start.length) };
  const options = { ...rounds, excluded: population.leavers, from: 0, to: config.rounds, onRound };
  const { weights } = yield* runRounds(state, options);
  return { ...progress, weights, seconds };
}

/** Some more rounds by the kept clients: a control, since it does not forget. */
async function* fineTune(
  trained: Float32Array,
  config: SimulationConfig,
  rounds: Omit<RoundsOptions, "from" | "to">,
  population: Population,
): Progress<Work> {
  const started = performance.now();
  let clientRounds = 0;
  let localSteps = 0;
  const { weights } = yield* runRounds(
    { weights: trained, velocity: new Float32Array(trained.length) },
    {
      ...rounds,
      excluded: population.leavers,
      from: config.rounds,
      to: config.rounds + config.references.fineTuneRounds,
      onRound: (round) => {
        clientRounds += round.contributions.length;
        localSteps += round.localSteps;
      },
    },
  );
  return { weights, seconds: (performance.now() - started) / 1000, clientRounds, localSteps };
}

function advance(
  progress: RunProgress,
  round: FinishedRound,
  seen: { readonly accuracy: number; readonly attackSuccess: number | undefined },
): RunProgress {
  const { accuracy, attackSuccess } = seen;
  return {
    localSteps: progress.localSteps + round.localSteps,
    clientRounds: progress.clientRounds + round.contributions.length,
    series: [
      ...progress.series,
      { round: round.round + 1, accuracy, ...(attackSuccess === undefined ? {} : { attackSuccess }) },
    ],
  };
}

/** The training log that the unlearning rules read, kept in the history's header. */
function factsOf(config: SimulationConfig): Json {
  const { data, model, clients, rounds, partition, local, participation, weighting, server, seed } = config;
  const { attack, attackers, leaverWeight, sizes, samplesPerClient } = config;
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
  };
  const adversary = {
    attack,
    attackers,
    leaverWeight,
    leavers: leaverWeight === 1 ? undefined : config.unlearn.clients,
  };
  return JSON.parse(JSON.stringify({ ...facts, ...adversary, seed }));
}
