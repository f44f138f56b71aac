import { LetheError } from "../kernel/errors.ts";
import { allCnn } from "./all-cnn.ts";
import type { Architecture } from "./architecture.ts";
import { cnnBn, cnnMedium, cnnSmall } from "./cnn.ts";
import { gpt } from "./gpt.ts";
import { gpt2 } from "./gpt2.ts";
import { lstm } from "./lstm.ts";
import { logistic, perceptron } from "./mlp.ts";
import { type ModelSizes, type ReadyModel, readModelText } from "./ready-model.ts";
import { resnet18, resnet20 } from "./resnet.ts";
import { resnet9 } from "./resnet9.ts";
import { textMlp } from "./text-mlp.ts";
import { vgg11, vgg16 } from "./vgg.ts";
import { vit } from "./vit.ts";

export type { ModelSizes } from "./ready-model.ts";

/** Every ready architecture, in the order of the list. */
const READY: readonly ReadyModel[] = [
  logistic,
  perceptron,
  cnnSmall,
  cnnBn,
  cnnMedium,
  allCnn,
  vgg11,
  vgg16,
  resnet9,
  resnet20,
  resnet18,
  vit,
  textMlp,
  lstm,
  gpt,
  gpt2,
];

/** The ready architectures, for help texts. */
export function listModels(): readonly Pick<ReadyModel, "id" | "title">[] {
  return READY.map(({ id, title }) => ({ id, title }));
}

/**
 * An architecture by its text: `mlp`, `mlp:128,64`, `resnet18:0.4`, `vit:patch=7,depth=4`.
 *
 * @throws LETHE_USAGE_MODEL when there is none of that name, or it cannot have these settings or sizes
 */
export function createModel(text: string, sizes: ModelSizes): Architecture {
  for (const model of READY) {
    const settings = readModelText(text, model);
    if (settings !== undefined) return model.create(sizes, settings, text);
  }
  throw new LetheError(
    "usage",
    "USAGE_MODEL",
    `Expected a model among ${READY.map(({ id }) => id).join(", ")} (settings stand behind a colon: ` +
      `mlp:WIDTHS, vit:depth=4,patch=7) or a file ending in .onnx, got \`${text}\`.`,
  );
}
