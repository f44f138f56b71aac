import { type Contribution, runRounds, type SimulatedClient } from "../../src/federation/rounds.ts";
import type { SimulationConfig } from "../../src/federation/simulation/config.ts";
import type { TrainingFacts } from "../../src/federation/unlearning/training-facts.ts";
import { consume } from "../../src/kernel/events.ts";
import { deriveKey, keyFromSeed } from "../../src/kernel/key.ts";
import type { ModelLayout } from "../../src/kernel/layout.ts";
import { flatten } from "../../src/kernel/parameters.ts";
import { type Architecture, initialWeights, layoutOfArchitecture } from "../../src/models/architecture.ts";
import { BATCH_NORM_MOMENTUM } from "../../src/models/batch-norm.ts";
import { layersOf } from "../../src/models/derive-layers.ts";
import type { LayerLayout } from "../../src/models/layers.ts";
import { createTrainer } from "../../src/training/trainer.ts";

/** A trained federation whose updates are all still there, exact. */
export interface TrainedFederation {
  readonly layout: ModelLayout;
  readonly layers: readonly LayerLayout[];
  readonly initialWeights: Float32Array;
  readonly trainedWeights: Float32Array;
  readonly retrainedWeights: Float32Array;
  readonly rounds: readonly (readonly Contribution[])[];
  readonly leavers: readonly string[];
  readonly training: TrainingFacts;
}

/** A federation and how its models are judged. */
export interface Federation extends TrainedFederation {
  measure(weights: Float32Array): Promise<{ readonly accuracy: number; readonly attackSuccess: number }>;
}

/** Trains once with everybody, keeping every update, and once without the leavers. */
export async function trainFederation(
  architecture: Architecture,
  clients: readonly SimulatedClient[],
  leavers: ReadonlySet<string>,
  config: Pick<SimulationConfig, "local" | "rounds" | "weighting" | "server" | "seed" | "participation">,
): Promise<TrainedFederation> {
  const layout = layoutOfArchitecture(architecture);
  const key = keyFromSeed(config.seed);
  const start = flatten(layout, initialWeights(architecture, deriveKey(key, "initial")));
  await using trainer = await createTrainer(architecture, config.local.optimizer, {
    threads: 1,
    spinning: false,
  });
  const rounds: (readonly Contribution[])[] = [];
  let [steps, turns] = [0, 0];
  const options = {
    trainer,
    layout,
    clients,
    local: config.local,
    participation: config.participation,
    weighting: config.weighting,
    server: config.server,
    key: deriveKey(key, "rounds"),
    from: 0,
    to: config.rounds,
  };
  const from = { weights: start, velocity: new Float32Array(layout.length) };
  const trained = await consume(
    runRounds(from, {
      ...options,
      onRound({ contributions, localSteps }) {
        rounds.push(contributions);
        steps += localSteps;
        turns += contributions.length;
      },
    }),
  );
  const retrained = await consume(runRounds(from, { ...options, excluded: leavers }));
  const { optimizer } = config.local;
  const secondMoment = meanSecondMoment(rounds, leavers, layout.length);
  return {
    layout,
    layers: layersOf(architecture),
    initialWeights: start,
    trainedWeights: trained.weights,
    retrainedWeights: retrained.weights,
    rounds,
    leavers: [...leavers],
    training: {
      optimizer: optimizer.id,
      learningRate: config.local.learningRate,
      batchSize: config.local.batchSize,
      localEpochs: config.local.epochs,
      localSteps: steps / turns,
      clientMomentum: optimizer.id === "sgd" ? optimizer.momentum : 0,
      ...(secondMoment === undefined ? {} : { secondMoment }),
      server: config.server,
      batchNormMomentum: BATCH_NORM_MOMENTUM,
      clients: clients.length,
      recordedFraction: 1,
    },
  };
}

/** v̄ of the kept clients over all rounds; undefined where the optimizer has none. */
function meanSecondMoment(
  rounds: readonly (readonly Contribution[])[],
  leavers: ReadonlySet<string>,
  length: number,
): Float32Array | undefined {
  const mean = new Float64Array(length);
  let count = 0;
  for (const { client, squaredGradient } of rounds.flat()) {
    if (squaredGradient === undefined || leavers.has(client)) continue;
    count++;
    squaredGradient.forEach((value, i) => {
      mean[i] = (mean[i] as number) + value;
    });
  }
  return count === 0 ? undefined : Float32Array.from(mean, (value) => value / count);
}
