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
import { type RoundsOptions, runRounds } from "../rounds.ts";
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

/**
 * Applies the chosen rule to a stored history, then the repair round if one was granted.
 *
 * @param trained - the final weights and the local steps it took to get there
 */
export async function* unlearnFromHistory(
  history: History,
  trained: { readonly weights: Float32Array; readonly localSteps: number; readonly clientRounds: number },
  inputs: UnlearnInputs,
): Progress<Unlearned> {
  const { config, measurer, population, rounds } = inputs;
  const rule = findRule(config.unlearn.method);
  const started = performance.now();
  const { threads } = inputs.runtime;
  // One thread asked for is one thread in all.
  await using stored = await storedHistory(history, threads === 1 ? { workers: 0 } : {});
  // Many small products, beside threads that decode: spinning between them costs more than all of them.
  await using matrices = ortMatrices({ spinning: false, ...inputs.runtime });
  const outcome = yield* nested(
    rule.run(
      {
        layout: inputs.layout,
        layers: layersOf(inputs.architecture),
        finalWeights: trained.weights,
        initialWeights: inputs.start,
        training: await trainingFacts(history, trained, inputs),
        leavers: [...population.leavers].map(clientId),
        help: config.unlearn.help,
        matrices,
        probe: { inputRange: [0, 1], predict: measurer.predict },
        key: deriveKey(inputs.key, "unlearning"),
        signal: rounds.signal,
        history: stored,
      },
      config.unlearn.settings,
    ),
  );
  const seconds = (performance.now() - started) / 1000;
  const { diagnosis, evidence } = outcome;
  if (config.unlearn.help === "none") {
    return {
      weights: outcome.weights,
      seconds,
      clientRounds: 0,
      localSteps: 0,
      diagnosis,
      evidence,
      beforeRepair: undefined,
    };
  }
  const beforeRepair = await measurer.measure(outcome.weights);
  const repairing = performance.now();
  let clientRounds = 0;
  let localSteps = 0;
  const repaired = yield* runRounds(
    { weights: outcome.weights, velocity: new Float32Array(inputs.layout.length) },
    {
      ...rounds,
      // All kept clients: repair by a subset hurts where their data differ.
      participation: 1,
      excluded: population.leavers,
      from: config.rounds,
      to: config.rounds + 1,
      maxLocalSteps: config.unlearn.repairSteps,
      onRound: (round) => {
        clientRounds += round.contributions.length;
        localSteps += round.localSteps;
      },
    },
  );
  return {
    weights: repaired.weights,
    seconds: seconds + (performance.now() - repairing) / 1000,
    clientRounds,
    localSteps,
    diagnosis,
    evidence,
    beforeRepair,
  };
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
