import { LetheError } from "../kernel/errors.ts";
import { conv, gemm, maxPool, relu, reshape } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import type { Architecture } from "./architecture.ts";
import { batchNorm, batchNormWeights } from "./batch-norm.ts";
import { filled, heNormal } from "./initializers.ts";

/** One convolution block: convolution, optional batch normalisation and pooling, ReLU. */
export interface ConvBlock {
  readonly channels: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly padding?: number;
  /** Side of the max-pooling window, which is also its stride. */
  readonly pool?: number;
}

/** What a convolutional network is made of. */
export interface CnnOptions {
  readonly id: string;
  readonly blocks: readonly ConvBlock[];
  /** Width of the hidden layer before the last; none when left out. */
  readonly hidden?: number;
  readonly batchNorm?: boolean;
}

/**
 * A convolutional network for images [channels, height, width]: blocks, then one or two dense layers.
 * Pooling comes before ReLU, which gives the same result as after it and a cheaper gradient.
 *
 * @throws LETHE_USAGE_MODEL when the input is not an image or too small for the blocks
 */
export function cnn(inputShape: readonly number[], classes: number, options: CnnOptions): Architecture {
  const [channels, height, width] = inputShape;
  if (channels === undefined || height === undefined || width === undefined || inputShape.length !== 3) {
    throw new LetheError(
      "usage",
      "USAGE_MODEL",
      `Expected images [channels, height, width] for model \`${options.id}\`, got samples of shape [${inputShape}]. Use an mlp.`,
    );
  }
  let inputs = channels;
  let [h, w] = [height, width];
  const blocks = options.blocks.map((block, index) => {
    const { kernel, stride = 1, padding = 0, pool = 1 } = block;
    const shrink = (size: number): number =>
      Math.floor(Math.floor((size + 2 * padding - kernel) / stride + 1) / pool);
    [h, w] = [shrink(h), shrink(w)];
    // Here and not at the end: padding further on would make a picture out of nothing.
    if (h < 1 || w < 1) {
      throw new LetheError(
        "usage",
        "USAGE_MODEL",
        `Expected larger images for model \`${options.id}\`, got ${height}×${width}.`,
      );
    }
    const described = {
      ...block,
      stride,
      padding,
      pool,
      inputs,
      name: `conv${index + 1}`,
      norm: `bn${index + 1}`,
    };
    inputs = block.channels;
    return described;
  });
  const features = inputs * h * w;
  const dense = (options.hidden === undefined ? [classes] : [options.hidden, classes]).map(
    (outputs, index, all) => ({
      name: `fc${index + 1}`,
      inputs: index === 0 ? features : (all[index - 1] as number),
      outputs,
    }),
  );
  return {
    id: options.id,
    inputName: "input",
    outputName: "logits",
    inputType: "float32",
    inputShape,
    labelShape: [],
    classes,
    weights: [
      ...blocks.flatMap(({ name, norm, inputs: from, channels: to, kernel }) => [
        heNormal(`${name}.weight`, [to, from, kernel, kernel], from * kernel * kernel),
        ...(options.batchNorm ? batchNormWeights(norm, to) : [filled(`${name}.bias`, [to], 0)]),
      ]),
      ...dense.flatMap(({ name, inputs: from, outputs }) => [
        heNormal(`${name}.weight`, [from, outputs], from),
        filled(`${name}.bias`, [outputs], 0),
      ]),
    ],
    forward: (input, weightOf, mode) => {
      const nextBuffers = new Map<string, Value>();
      let x = input;
      for (const { name, norm, stride, padding, pool } of blocks) {
        const bias = options.batchNorm ? undefined : weightOf(`${name}.bias`);
        x = conv(x, weightOf(`${name}.weight`), bias, {
          strides: [stride, stride],
          pads: [padding, padding, padding, padding],
        });
        if (options.batchNorm) x = batchNorm(x, norm, weightOf, mode, nextBuffers);
        if (pool > 1) x = maxPool(x, [pool, pool], { strides: [pool, pool] });
        x = relu(x);
      }
      x = reshape(x, [input.shape[0] ?? "batch", features]);
      dense.forEach(({ name }, index) => {
        x = gemm(index === 0 ? x : relu(x), weightOf(`${name}.weight`), weightOf(`${name}.bias`));
      });
      return { logits: x, nextBuffers };
    },
  };
}
