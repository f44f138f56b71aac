import { basename } from "node:path";
import { InvalidArgumentError } from "commander";
import type { ModelSource } from "../audit/farm/training-job.ts";
import type { Dataset } from "../data/dataset.ts";
import { LetheError } from "../kernel/errors.ts";
import type { Architecture } from "../models/architecture.ts";
import { createModel, listModels } from "../models/index.ts";
import { onnxArchitecture, openOnnxArchitecture } from "../models/onnx-model.ts";
import type { ModelSizes } from "../models/ready-model.ts";
import { openOnnxFile } from "../storage/onnx-file.ts";
import { parseCount } from "./context.ts";

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
  const architecture = text.endsWith(".onnx") ? importModel(text, featureShape) : createModel(text, sizes);
  const fits =
    architecture.inputShape.join() === featureShape.join() &&
    architecture.labelShape.join() === labelShape.join() &&
    architecture.classes === classes;
  if (fits) return architecture;
  throw new LetheError(
    "data",
    "DATA_MODEL",
    `Expected a model for samples [${featureShape}] and ${answersText(labelShape, classes)}, got ${basename(text)} ` +
      `for [${architecture.inputShape}] and ${answersText(architecture.labelShape, architecture.classes)}.`,
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
 * What makes the architecture of a text in another thread.
 *
 * @throws LETHE_DATA_FILE when a user's model file is gone: retraining has to start where training started
 */
export function modelSourceOf(model: string, dataset: Dataset): ModelSource {
  return model.endsWith(".onnx")
    ? { kind: "file", name: basename(model), bytes: openOnnxFile(model).bytes }
    : { kind: "ready", text: model, sizes: modelSizesOf(dataset) };
}

/** A user's model; sizes that have only a name in it are those of the samples. */
function importModel(path: string, featureShape: readonly number[]): Architecture {
  const { bytes, external } = openOnnxFile(path);
  const { inputShape } = openOnnxArchitecture(bytes, basename(path), { external });
  const sizes = Object.fromEntries(
    inputShape.flatMap((dim, axis) => {
      const size = featureShape[axis];
      return typeof dim === "string" && size !== undefined ? [[dim, size] as const] : [];
    }),
  );
  return onnxArchitecture(bytes, basename(path), { external, sizes });
}

/** `sequence=128`, beside those said before. */
export function parseSize(
  text: string,
  earlier: Readonly<Record<string, number>> = {},
): Readonly<Record<string, number>> {
  const at = text.lastIndexOf("=");
  if (at < 1) throw new InvalidArgumentError("Expected NAME=NUMBER.");
  return { ...earlier, [text.slice(0, at)]: parseCount(text.slice(at + 1)) };
}

function answersText(labelShape: readonly number[], classes: number): string {
  return `${classes} classes${labelShape.length === 0 ? "" : ` at every position of [${labelShape}]`}`;
}
