import type { Samples } from "../../src/data/dataset.ts";
import type { ParameterSet } from "../../src/kernel/parameters.ts";
import { logProbabilities } from "../../src/metrics/log-probabilities.ts";
import type { Architecture } from "../../src/models/architecture.ts";
import { createPredictor } from "../../src/training/predictor.ts";

/** What a model answers, a row of class probabilities a sample. */
export async function classProbabilities(
  architecture: Architecture,
  weights: ParameterSet,
  samples: Samples,
): Promise<number[][]> {
  await using predictor = await createPredictor(architecture, { threads: 1, spinning: false });
  const { classes } = architecture;
  const logs = logProbabilities(await predictor.logitsOf(weights, samples), classes);
  return Array.from({ length: samples.count }, (_, row) =>
    Array.from(logs.subarray(row * classes, (row + 1) * classes), Math.exp),
  );
}
