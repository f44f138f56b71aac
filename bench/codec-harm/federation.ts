import { chooseModel } from "../../src/cli/model-argument.ts";
import { loadDataset } from "../../src/data/index.ts";
import { type SimulationInput, simulationSchema } from "../../src/federation/simulation/config.ts";
import { createMeasurer } from "../../src/federation/simulation/measurements.ts";
import { createPopulation } from "../../src/federation/simulation/population.ts";
import { deriveKey, keyFromSeed } from "../../src/kernel/key.ts";
import { createPredictor } from "../../src/training/predictor.ts";
import { type Federation, trainFederation } from "./train-federation.ts";

/** A federation of image classifiers with a boosted backdoor in client 0, as `lethe simulate` would run it. */
export async function imageFederation(input: SimulationInput): Promise<Federation> {
  const config = simulationSchema.parse({
    partition: "dirichlet:0.3",
    clients: 10,
    samplesPerClient: 300,
    rounds: 20,
    ...input,
  });
  const dataset = await loadDataset(config.data);
  const architecture = chooseModel(config.model, dataset);
  const key = keyFromSeed(config.seed);
  const population = createPopulation(config, dataset, deriveKey(key, "population"));
  const trained = await trainFederation(architecture, population.clients, population.leavers, config);
  const predictor = await createPredictor(architecture, { threads: 1, spinning: false });
  const measurer = createMeasurer(predictor, trained.layout, dataset.test, population, config.curveSamples);
  return {
    ...trained,
    async measure(weights) {
      const { accuracy, attackSuccess = Number.NaN } = await measurer.glance(weights);
      return { accuracy, attackSuccess };
    },
  };
}
