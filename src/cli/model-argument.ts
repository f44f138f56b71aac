import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Dataset } from "../data/dataset.ts";
import { LetheError } from "../kernel/errors.ts";
import type { Architecture } from "../models/architecture.ts";
import { createModel, listModels } from "../models/index.ts";
import { onnxArchitecture } from "../models/onnx-model.ts";
import type { ModelSizes } from "../models/ready-model.ts";

/** The help text of `--model`. */
export const MODEL_HELP = `${listModels()
  .map(({ id }) => id)
  .join(", ")}, mlp:WIDTHS or a FILE.onnx`;

/**
 * The architecture a person names, checked against the data it is for.
 *
 * @throws LETHE_USAGE_MODEL, LETHE_DATA_FILE, LETHE_DATA_MODEL
 */
export function chooseModel(text: string, dataset: Dataset): Architecture {
  const { featureShape, train } = dataset;
  const labelShape = train.targets?.shape ?? [];
  const sizes = modelSizesOf(dataset);
  const { classes } = sizes;
  const architecture = text.endsWith(".onnx")
    ? onnxArchitecture(readBytes(text), basename(text))
    : createModel(text, sizes);
  const fits =
    architecture.inputShape.join() === featureShape.join() &&
    architecture.labelShape.join() === labelShape.join() &&
    architecture.classes === classes;
  if (fits) return architecture;
  throw new LetheError(
    "data",
    "DATA_MODEL",
    `Expected a model for samples [${featureShape}] with answers [${[...labelShape, classes]}], ` +
      `got ${basename(text)} for [${architecture.inputShape}] and [${[...architecture.labelShape, architecture.classes]}].`,
  );
}

/** The sizes a ready architecture must have for a data set. */
export function modelSizesOf({ featureShape, classNames, tokenizer, train }: Dataset): ModelSizes {
  return {
    inputShape: featureShape,
    classes: train.targets === undefined ? classNames.length : (tokenizer?.size ?? 0),
    ...(tokenizer === undefined ? {} : { vocabulary: tokenizer.size }),
  };
}

/**
 * The bytes of a file.
 *
 * @throws LETHE_DATA_FILE when it cannot be read
 */
export function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new LetheError("data", "DATA_FILE", `Expected a readable file at ${path}.`, {
      cause,
      details: { path },
    });
  }
}
