import { z } from "zod";
import { sizeOf } from "../kernel/layout.ts";
import { relu } from "../onnx/functions/index.ts";
import type { Architecture } from "./architecture.ts";
import { dense } from "./modules/dense.ts";
import { networkOf, sequence, stateless } from "./modules/module.ts";
import { flattened } from "./modules/pooling.ts";
import { defineModel, NONE } from "./ready-model.ts";

/** Wider layers than this are a typing error, not a model. */
const MAX_WIDTH = 65_536;

export const logistic = defineModel({
  id: "logistic",
  title: "logistic regression",
  settings: NONE,
  create: ({ inputShape, classes }) => mlp(inputShape, classes, []),
});

export const perceptron = defineModel({
  id: "mlp",
  title: "perceptron with one hidden layer of 64; `mlp:128,64` sets the widths",
  shorthand: "widths",
  settings: z.strictObject({
    widths: z
      .string()
      .regex(/^\d+(,\d+)*$/, "expected widths such as 128,64")
      .transform((text) => text.split(",").map(Number))
      .pipe(z.array(z.int().min(1).max(MAX_WIDTH)))
      .default([64]),
  }),
  create: ({ inputShape, classes }, { widths }) => mlp(inputShape, classes, widths),
});

/**
 * A multilayer perceptron: x ← ReLU(xWᵢ + bᵢ) for every hidden layer, logits = xW + b.
 *
 * @param hidden - widths of the hidden layers; none gives logistic regression
 */
export function mlp(inputShape: readonly number[], classes: number, hidden: readonly number[]): Architecture {
  const widths = [sizeOf(inputShape), ...hidden, classes];
  const layers = widths
    .slice(1)
    .flatMap((outputs, index) => [
      ...(index === 0 ? [] : [stateless(relu)]),
      dense(`fc${index + 1}`, { inputs: widths[index] as number, outputs }),
    ]);
  const id = hidden.length === 0 ? "logistic" : `mlp:${hidden.join(",")}`;
  return networkOf({ id, inputShape, classes }, sequence(flattened, ...layers));
}
