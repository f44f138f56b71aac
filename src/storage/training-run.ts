import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { normaliserSchema } from "../data/normaliser.ts";
import { digestArrays } from "../kernel/digest.ts";
import { LetheError } from "../kernel/errors.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { adaptationSchema } from "../models/adapt.ts";
import type { Architecture } from "../models/architecture.ts";
import { onnxArchitecture, writeClassifier } from "../models/onnx-model.ts";
import { recipeSchema } from "../training/recipe.ts";
import { divisionSchema } from "../training/sisa/config.ts";
import { writeFileAtomically } from "./atomic-file.ts";

/** One request that was carried out, in the order of the requests. */
const requestSchema = z.strictObject({
  spec: z.string(),
  method: z.string(),
  /** Positions within the run's training part, ascending. */
  positions: z.array(z.int().min(0)),
});

/** What a directory of `lethe train` or `lethe unlearn` says of its model. */
const runSchema = z.object({
  data: z.string(),
  model: z.string(),
  seed: z.int(),
  /** Training samples taken; all when left out. */
  samples: z.int().min(1).optional(),
  validation: z.number().min(0).lt(1).default(0),
  settings: recipeSchema,
  /** What features are scaled by; as the files have them when left out. */
  normaliser: normaliserSchema.optional(),
  /** What of the model was trained, where not all of it; frozen weights are those it started from. */
  adaptation: adaptationSchema.optional(),
  /** Whether adapters are written beside the weights. */
  isUnmerged: z.boolean().optional(),
  /** How samples were divided for sharded training: the model is then the ensemble of the shards'. */
  sisa: divisionSchema.optional(),
  digest: z.string(),
  /** Of the samples the weights were trained on from scratch, in their order; not in runs of earlier versions. */
  trainedOn: z.string().optional(),
  /** What was forgotten so far; the earlier requests first. */
  requests: z.array(requestSchema).default([]),
});

/** How a model in a run directory came about. */
export type TrainingRun = z.output<typeof runSchema>;

const MODEL = "model.onnx";
const RUN = "run.json";

/**
 * Reads how the model of a run directory came about.
 *
 * @throws LETHE_DATA_RUN when the directory holds no run
 */
export function readTrainingRun(directory: string): TrainingRun {
  const path = join(directory, RUN);
  if (!existsSync(path)) {
    throw runError(
      `a run directory (with ${RUN} and ${MODEL}) at ${directory}, found none`,
      "Make one with `lethe train`.",
    );
  }
  try {
    return runSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw runError(
      `a description of a training run in ${path}, got: ${reason}`,
      "Was it written by `lethe train`?",
      cause,
    );
  }
}

/**
 * Reads a run's weights from its model file and checks that they are the ones the run describes.
 *
 * @throws LETHE_DATA_RUN for another model; LETHE_INTEGRITY_MODEL when the digests differ
 */
export function readRunWeights(
  directory: string,
  run: TrainingRun,
  architecture: Architecture,
): ParameterSet {
  const path = join(directory, MODEL);
  if (!existsSync(path)) throw runError(`a model at ${path}, found none`, "Train it again.");
  const stored = onnxArchitecture(readFileSync(path), MODEL);
  // The values do not depend on the key: a file's architecture starts at its weights.
  const values = new Map(stored.weights.map(({ name, initial }) => [name, initial(NO_KEY)]));
  const weights = new Map<string, Float32Array>();
  for (const { name } of architecture.weights) {
    const found = values.get(name);
    if (found === undefined)
      throw runError(`the weights \`${name}\` in ${path}, found none`, "Train it again.");
    weights.set(name, found);
  }
  const digest = digestArrays(weights);
  if (digest === run.digest) return weights;
  throw new LetheError(
    "integrity",
    "INTEGRITY_MODEL",
    `Expected the weights in ${path} to have the digest ${run.digest} of ${RUN}, got ${digest}. The file was changed after it was written.`,
  );
}

/** Writes a model and then the description of how it came about; a kill in between shows as another digest. */
export function writeTrainingRun(
  directory: string,
  architecture: Architecture,
  weights: ParameterSet,
  run: TrainingRun & Readonly<Record<string, unknown>>,
): void {
  writeFileAtomically(join(directory, MODEL), writeClassifier(architecture, weights, { digest: run.digest }));
  writeFileAtomically(join(directory, RUN), `${JSON.stringify(run, undefined, 2)}\n`);
}

const NO_KEY = new Uint32Array(8) as Parameters<Architecture["weights"][number]["initial"]>[0];

function runError(expected: string, remedy: string, cause?: unknown): LetheError {
  return new LetheError(
    "data",
    "DATA_RUN",
    `Expected ${expected}. ${remedy}`,
    cause === undefined ? {} : { cause },
  );
}
