import { readFileSync } from "node:fs";
import type { Dataset, Samples } from "../data/dataset.ts";
import { parseForgetSpec } from "../data/forget-spec.ts";
import { loadParts } from "../data/load-parts.ts";
import type { DataParts } from "../data/parts.ts";
import { type ForgetScope, type ForgetSets, resolveForget } from "../data/resolve-forget.ts";
import { LetheError } from "../kernel/errors.ts";
import { deriveKey, keyFromSeed } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { Scope } from "../methods/contract.ts";
import type { Architecture } from "../models/architecture.ts";
import { type RunModel, runModel } from "../storage/run-model.ts";
import { readTrainingRun, type TrainingRun } from "../storage/training-run.ts";
import { chooseModel } from "./model-argument.ts";

/** A trained model with the data it was trained on. */
export interface OpenRun {
  readonly run: TrainingRun;
  readonly dataset: Dataset;
  readonly parts: DataParts;
  /** The model as its file or `--model` has it; of a run in shards that of each. */
  readonly model: Architecture;
  readonly stored: RunModel;
  /** What is trained of it. */
  readonly architecture: Architecture;
  readonly weights: ParameterSet;
}

/** A request on a run: what it takes away and what then remains of the training part. */
export interface OpenRequest extends ForgetSets {
  readonly forgetSamples: Samples;
  readonly retainSamples: Samples;
  /** The classes of which nothing is retained. */
  readonly classes: readonly number[];
}

/**
 * Opens a run directory: description, model and data.
 *
 * @throws LETHE_DATA_RUN, LETHE_INTEGRITY_MODEL, LETHE_DATA_MISSING, and what loading the data throws
 */
export async function openTrainingRun(directory: string): Promise<OpenRun> {
  const run = readTrainingRun(directory);
  const { dataset, parts } = await loadParts(run);
  // A user's model is the file the training started from: retraining has to start there too, not from what was trained.
  const model = chooseModel(run.model, dataset);
  const stored = runModel(model, run);
  const weights = stored.read(directory, run);
  return { run, dataset, parts, model, stored, architecture: stored.architecture, weights };
}

/**
 * Applies a request to a run. Positions count within the run's training part; what earlier requests took away is neither
 * forgotten again nor retained.
 *
 * @throws LETHE_USAGE_FORGET, LETHE_DATA_EMPTY, LETHE_DATA_INDICES, LETHE_DATA_FILE
 */
export function openRequest(
  { run, parts }: { readonly run: Pick<TrainingRun, "requests">; readonly parts: Pick<DataParts, "train"> },
  spec: string,
  seed: number,
): OpenRequest {
  const key = deriveKey(keyFromSeed(seed), "request");
  const named = resolveForget(parseForgetSpec(spec), parts.train, key, {
    indicesText: readText,
  });
  const gone = new Set(run.requests.flatMap(({ positions }) => positions));
  const forget = named.forget.filter((position) => !gone.has(position));
  const retain = named.retain.filter((position) => !gone.has(position));
  if (forget.length === 0 || retain.length === 0) {
    throw new LetheError(
      "data",
      "DATA_EMPTY",
      forget.length === 0
        ? `Expected samples that are still to be forgotten, but all that \`${spec}\` names are gone already.`
        : "Expected samples to be left, but this request takes the last ones. Discard the model instead.",
    );
  }
  const forgetSamples = parts.train.subset(forget);
  const retainSamples = parts.train.subset(retain);
  const kept = retainSamples.positionsByClass();
  const classes = forgetSamples
    .positionsByClass()
    .flatMap(({ length }, label) => (length > 0 && kept[label]?.length === 0 ? [label] : []));
  return { ...named, forget, retain, forgetSamples, retainSamples, classes };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new LetheError("data", "DATA_FILE", `Expected a readable file at ${path}.`, {
      cause,
      details: { path },
    });
  }
}

/**
 * The scope of a request on one model.
 *
 * @throws LETHE_USAGE_SCOPE for a client of a federation
 */
export function centralScope(scope: ForgetScope): Scope {
  if (scope !== "client") return scope;
  throw new LetheError(
    "usage",
    "USAGE_SCOPE",
    "Expected a request on a centrally trained model, got a client of a federation. Use `lethe simulate --unlearn client:ID`.",
  );
}
