import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, digestArrays } from "../kernel/digest.ts";
import { LetheError } from "../kernel/errors.ts";
import { deriveKey, keyFromSeed } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { adapt } from "../models/adapt.ts";
import { type Architecture, initialWeights } from "../models/architecture.ts";
import { ensembleOf } from "../models/ensemble.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { decodeTensors, encodeTensors } from "./safetensors.ts";
import { readRunWeights, type TrainingRun, writeTrainingRun } from "./training-run.ts";

/** A run's model as it is trained and unlearned, and the way into its file: frozen parts and merged adapters come back there. */
export interface RunModel {
  /** What is trained of the model; with shards, all their models as one. */
  readonly architecture: Architecture;
  /** Of weights as the file has them. */
  digestOf(weights: ParameterSet): Digest;
  /**
   * Reads the weights of `architecture` from a run directory.
   *
   * @throws LETHE_DATA_RUN, LETHE_INTEGRITY_MODEL
   */
  read(directory: string, run: TrainingRun): ParameterSet;
  write(directory: string, weights: ParameterSet, run: TrainingRun & Readonly<Record<string, unknown>>): void;
}

const ADAPTERS = "adapters.safetensors";

/**
 * The model of a run.
 *
 * @param model - the whole architecture, starting where the run's training started
 * @throws LETHE_USAGE_PATTERN, LETHE_USAGE_TRAINABLE, LETHE_USAGE_RANK
 */
export function runModel(
  model: Architecture,
  {
    adaptation,
    isUnmerged = false,
    sisa,
    seed,
  }: Pick<TrainingRun, "adaptation" | "isUnmerged" | "sisa" | "seed">,
): RunModel {
  if (sisa !== undefined) return asItIs(ensembleOf(model, sisa.shards));
  if (adaptation === undefined) return asItIs(model);
  const start = initialWeights(model, deriveKey(keyFromSeed(seed), "initial"));
  const { architecture, restore } = adapt(model, adaptation, start);
  if (isUnmerged) return asItIs(architecture);
  const isLowRank = adaptation.lora !== undefined;
  return {
    architecture,
    digestOf: (weights) => digestArrays(restore(weights)),
    read(directory, run) {
      const stored = readRunWeights(directory, run, model);
      const own = isLowRank ? readAdapters(directory) : stored;
      const weights = new Map(architecture.weights.map(({ name }) => [name, own.get(name) as Float32Array]));
      if (!isLowRank || digestArrays(restore(weights)) === run.digest) return weights;
      throw new LetheError(
        "integrity",
        "INTEGRITY_MODEL",
        `Expected ${join(directory, ADAPTERS)} to be of the model beside it, got others. The file was changed after it was written.`,
      );
    },
    write(directory, weights, run) {
      if (isLowRank) writeAdapters(directory, architecture, weights);
      writeTrainingRun(directory, model, restore(weights), run);
    },
  };
}

function asItIs(architecture: Architecture): RunModel {
  return {
    architecture,
    digestOf: digestArrays,
    read: (directory, run) => readRunWeights(directory, run, architecture),
    write: (directory, weights, run) => writeTrainingRun(directory, architecture, weights, run),
  };
}

function readAdapters(directory: string): ParameterSet {
  const path = join(directory, ADAPTERS);
  if (!existsSync(path)) {
    throw new LetheError("data", "DATA_RUN", `Expected adapters at ${path}, found none. Train them again.`);
  }
  const { tensors } = decodeTensors(readFileSync(path), path);
  return new Map([...tensors].map(([name, { data }]) => [name, data]));
}

function writeAdapters(directory: string, { weights: specs }: Architecture, weights: ParameterSet): void {
  const tensors = new Map(
    specs.map(({ name, shape }) => [name, { shape, data: weights.get(name) as Float32Array }]),
  );
  writeFileAtomically(join(directory, ADAPTERS), encodeTensors({ tensors, metadata: {} }));
}
