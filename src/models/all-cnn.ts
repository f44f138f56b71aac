import { z } from "zod";
import { relu } from "../onnx/functions/index.ts";
import type { Architecture } from "./architecture.ts";
import { imageSizes } from "./image-input.ts";
import { convolution } from "./modules/convolution.ts";
import { networkOf, sequence, stateless } from "./modules/module.ts";
import { batchNormalized } from "./modules/normalization.ts";
import { globalMean } from "./modules/pooling.ts";
import { defineModel } from "./ready-model.ts";
import { scaledWidth, widthFactor } from "./width-factor.ts";

/** The convolutions of All-CNN-C before the one to the classes; the third of a kind halves the image in place of a pooling. */
const LAYERS = [
  { channels: 96, kernel: 3, stride: 1, padding: 1 },
  { channels: 96, kernel: 3, stride: 1, padding: 1 },
  { channels: 96, kernel: 3, stride: 2, padding: 1 },
  { channels: 192, kernel: 3, stride: 1, padding: 1 },
  { channels: 192, kernel: 3, stride: 1, padding: 1 },
  { channels: 192, kernel: 3, stride: 2, padding: 1 },
  { channels: 192, kernel: 3, stride: 1, padding: 1 },
  { channels: 192, kernel: 1, stride: 1, padding: 0 },
] as const;

export const allCnn = defineModel({
  id: "all-cnn",
  title: "nine convolutions and a mean, no pooling and no dense layer; settings width=1, batchNorm=true",
  shorthand: "width",
  settings: z.strictObject({ width: widthFactor, batchNorm: z.stringbool().default(true) }),
  create: ({ inputShape, classes }, { width, batchNorm }, id) =>
    network(inputShape, classes, { width, batchNorm, id }),
});

/**
 * All-CNN-C: convolutions alone, the class scores are means over the image; 1.37 M parameters for ten classes.
 *
 * @throws LETHE_USAGE_MODEL when the input is not an image
 * Source: Springenberg et al., "Striving for simplicity" (2014), arXiv 1412.6806, table 2. Departures: batch normalisation
 * (unless it is switched off) in place of dropout, no ReLU on the class scores.
 */
function network(
  inputShape: readonly number[],
  classes: number,
  options: { readonly width: number; readonly batchNorm: boolean; readonly id: string },
): Architecture {
  const { width, batchNorm, id } = options;
  const image = imageSizes(inputShape, id);
  const widths = [image.channels, ...LAYERS.map(({ channels }) => scaledWidth(channels, width))];
  const blocks = LAYERS.map(({ kernel, stride, padding }, index) => {
    const [inputs, outputs] = [widths[index], widths[index + 1]] as [number, number];
    return sequence(
      convolution(`conv${index + 1}`, { inputs, outputs, kernel, stride, padding, bias: !batchNorm }),
      ...(batchNorm ? [batchNormalized(`bn${index + 1}`, outputs)] : []),
      stateless(relu),
    );
  });
  const scores = convolution(`conv${LAYERS.length + 1}`, {
    inputs: widths.at(-1) as number,
    outputs: classes,
    kernel: 1,
    bias: true,
  });
  return networkOf({ id, inputShape, classes }, sequence(...blocks, scores, globalMean));
}
