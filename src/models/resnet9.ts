import { z } from "zod";
import { mul } from "../onnx/functions/index.ts";
import type { Architecture } from "./architecture.ts";
import { imageSizes } from "./image-input.ts";
import { lecunUniform } from "./initializers.ts";
import { dense } from "./modules/dense.ts";
import { type Module, networkOf, sequence, stateless } from "./modules/module.ts";
import { normalizedConvolution } from "./modules/normalized-convolution.ts";
import { globalMaximum, maxPooled } from "./modules/pooling.ts";
import { residual } from "./modules/residual.ts";
import { defineModel } from "./ready-model.ts";
import { scaledWidth, widthFactor } from "./width-factor.ts";

export const resnet9 = defineModel({
  id: "resnet9",
  title: "residual network of nine layers; `resnet9:0.5` scales the channels",
  shorthand: "width",
  settings: z.strictObject({ width: widthFactor }),
  create: ({ inputShape, classes }, { width }, id) => network(inputShape, classes, width, id),
});

/** Maxima over an image are large: the source scales the class scores by an eighth. */
const SCORE_SCALE = 0.125;

/**
 * ResNet-9: a stem, three convolutions with pooling, two residual pairs behind the first and the last of them, the maximum
 * over the image, a dense layer; 6.57 M parameters for ten classes.
 *
 * @throws LETHE_USAGE_MODEL when the input is not an image of at least 8×8
 * Source: Page, "How to train your ResNet" (2018), part 4. Departure: the dense layer has a bias.
 */
function network(inputShape: readonly number[], classes: number, width: number, id: string): Architecture {
  // Three poolings by two.
  const image = imageSizes(inputShape, id, 8);
  const [a, b, c, d] = [64, 128, 256, 512].map((count) => scaledWidth(count, width)) as [
    number,
    number,
    number,
    number,
  ];
  const pooledStage = (name: string, inputs: number, outputs: number): Module =>
    normalizedConvolution(name, inputs, outputs, maxPooled(2));
  const pair = (name: string, count: number): Module =>
    residual(
      sequence(
        normalizedConvolution(`${name}.1`, count, count),
        normalizedConvolution(`${name}.2`, count, count),
      ),
    );
  const layers = sequence(
    normalizedConvolution("stem", image.channels, a),
    pooledStage("stage1", a, b),
    pair("stage1.residual", b),
    pooledStage("stage2", b, c),
    pooledStage("stage3", c, d),
    pair("stage3.residual", d),
    globalMaximum,
    dense("head", { inputs: d, outputs: classes, initial: lecunUniform }),
    stateless((x) => mul(x, SCORE_SCALE)),
  );
  return networkOf({ id, inputShape, classes }, layers);
}
