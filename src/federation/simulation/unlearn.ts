import type { History } from "../../history/store.ts";
import { clientId } from "../../kernel/client-id.ts";
import { LetheError } from "../../kernel/errors.ts";
import { nested, type Progress } from "../../kernel/events.ts";
import { deriveKey, type Key } from "../../kernel/key.ts";
import type { ModelLayout } from "../../kernel/layout.ts";
import type { Architecture } from "../../models/architecture.ts";
import { BATCH_NORM_MOMENTUM } from "../../models/batch-norm.ts";
import { layersOf } from "../../models/derive-layers.ts";
import { ortMatrices } from "../../runtime/linear-algebra/ort-engine.ts";
import type { RuntimeOptions } from "../../runtime/program.ts";
import { simulatedFleet } from "../fleet.ts";
import type { FinishedRound, RoundsOptions } from "../rounds.ts";
import type { Diagnosis, Evidence } from "../unlearning/contract.ts";
import { findRule } from "../unlearning/index.ts";
import { storedHistory } from "../unlearning/stored-history.ts";
import type { TrainingFacts } from "../unlearning/training-facts.ts";
import type { SimulationConfig } from "./config.ts";
import type { Measurement, Measurer } from "./measurements.ts";
import type { Population } from "./population.ts";

/** What unlearning needs of the simulation around it. */
export interface UnlearnInputs {
  readonly config: SimulationConfig;
  readonly architecture: Architecture;
  readonly runtime: RuntimeOptions;
  readonly layout: ModelLayout;
  readonly population: Population;
  readonly measurer: Measurer;
  readonly rounds: Omit<RoundsOptions, "from" | "to">;
  readonly key: Key;
  readonly start: Float32Array;
}

/** The unlearned model and what it took. */
export interface Unlearned {
  readonly weights: Float32Array;
  /** Of the server, and of the repair round's clients where there was one. */
  readonly seconds: number;
  readonly clientRounds: number;
  readonly localSteps: number;
  readonly diagnosis: Diagnosis;
  readonly evidence: Evidence;
  /** The model before the repair round, where there was one. */
  readonly beforeRepair: Measurement | undefined;
}

/** What to run. */
export interface UnlearnOrder {
  /** A rule's id. */
  readonly method: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly help: SimulationConfig["unlearn"]["help"];
  /** Called after every round the clients work; its time is not counted. */
  readonly onRound?: (round: FinishedRound) => Promise<void>;
}

/**
 * Applies a rule to a stored history, then the repair round if one was granted.
 *
 * @param trained - the final weights and the local steps it took to get there
 */
export async function* unlearnFromHistory(
  history: History,
  trained: { readonly weights: Float32Array; readonly localSteps: number; readonly clientRounds: number },
  order: UnlearnOrder,
  inputs: UnlearnInputs,
): Progress<Unlearned> {
  const { config, measurer, population, rounds } = inputs;
  let watchedMs = 0;
  const watched = async (work: () => Promise<void>): Promise<void> => {
    const since = performance.now();
    await work();
    watchedMs += performance.now() - since;
  };
  const fleet = simulatedFleet(rounds, (round) => watched(async () => order.onRound?.(round)));
  const started = performance.now();
  const { threads } = inputs.runtime;
  // One thread asked for is one thread in all.
  await using stored = await storedHistory(history, threads === 1 ? { workers: 0 } : {});
  // Many small products, beside threads that decode: spinning between them costs more than all of them.
  await using matrices = ortMatrices({ spinning: false, ...inputs.runtime });
  const { weights, diagnosis, evidence } = yield* nested(
    findRule(order.method).run(
      {
        layout: inputs.layout,
        layers: layersOf(inputs.architecture),
        finalWeights: trained.weights,
        initialWeights: inputs.start,
        training: await trainingFacts(history, trained, inputs),
        leavers: [...population.leavers].map(clientId),
        help: order.help,
        scope: config.unlearn.scope,
        matrices,
        probe: { inputRange: inputRangeOf(inputs.architecture), predict: measurer.predict },
        key: deriveKey(inputs.key, "unlearning"),
        signal: rounds.signal,
        history: stored,
        clients: fleet,
      },
      order.settings,
    ),
  );
  const outcome = (end: Float32Array, beforeRepair: Measurement | undefined): Unlearned => ({
    weights: end,
    seconds: (performance.now() - started - watchedMs) / 1000,
    ...fleet.spent,
    diagnosis,
    evidence,
    beforeRepair,
  });
  if (order.help === "none") return outcome(weights, undefined);

  let beforeRepair: Measurement | undefined;
  await watched(async () => {
    beforeRepair = await measurer.measure(weights);
  });
  const repaired = await fleet.runRound({
    weights,
    round: config.rounds,
    // All kept clients: repair by a subset hurts where their data differ.
    clients: fleet.clients.filter((client) => !population.leavers.has(client)),
    everyoneTakesPart: true,
    localSteps: config.unlearn.repairSteps,
    signal: rounds.signal,
  });
  return outcome(repaired, beforeRepair);
}

/** Pixels lie in [0, 1]; the standardised columns of a table have no bounds. */
function inputRangeOf({ inputShape }: Architecture): readonly [number, number] {
  return inputShape.length === 3 ? [0, 1] : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
}

/** The training log in the form the rules read. */
async function trainingFacts(
  history: History,
  trained: { readonly localSteps: number; readonly clientRounds: number },
  { config, population, layout }: UnlearnInputs,
): Promise<TrainingFacts> {
  const { local, server } = config;
  const secondMoment =
    local.optimizer.id === "sgd" ? undefined : await meanSecondMoment(history, population, layout);
  return {
    optimizer: local.optimizer.id,
    learningRate: local.learningRate,
    batchSize: local.batchSize,
    localEpochs: local.epochs,
    localSteps: trained.localSteps / trained.clientRounds,
    clientMomentum: local.optimizer.id === "sgd" ? local.optimizer.momentum : 0,
    ...(secondMoment === undefined ? {} : { secondMoment }),
    server,
    batchNormMomentum: BATCH_NORM_MOMENTUM,
    clients: config.clients,
    recordedFraction: config.codec.storedClientFraction,
  };
}

/** v̄ over the kept clients, from the running means the history keeps of each. */
async function meanSecondMoment(
  history: History,
  population: Population,
  layout: ModelLayout,
): Promise<Float32Array> {
  const kept = population.clients.filter(({ id }) => !population.leavers.has(id));
  const mean = new Float32Array(layout.length);
  let count = 0;
  for (const { id } of kept) {
    const auxiliary = await history.auxiliary(id, "squared-gradient");
    if (auxiliary === undefined) continue;
    count++;
    auxiliary.mean.forEach((value, index) => {
      mean[index] = (mean[index] as number) + value;
    });
  }
  if (count === 0) {
    throw new LetheError(
      "data",
      "DATA_AUXILIARY",
      "Expected the clients' squared gradients in the history, got none.",
    );
  }
  return mean.map((value) => value / count);
}
