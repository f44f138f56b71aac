import { relu } from "../onnx/functions/index.ts";
import type { Architecture } from "./architecture.ts";
import { imageSizes, tooSmall } from "./image-input.ts";
import { convolution } from "./modules/convolution.ts";
import { dense } from "./modules/dense.ts";
import { networkOf, sequence, stateless } from "./modules/module.ts";
import { batchNormalized } from "./modules/normalization.ts";
import { flattened, maxPooled } from "./modules/pooling.ts";
import { defineModel, NONE } from "./ready-model.ts";

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

const SMALL = [
  { channels: 8, kernel: 5, stride: 2, padding: 2 },
  { channels: 16, kernel: 5, stride: 2, padding: 2 },
] as const;

export const cnnSmall = defineModel({
  id: "cnn",
  title: "small: two padded 5×5 convolutions of stride 2 (8 and 16 channels), one dense layer",
  settings: NONE,
  create: ({ inputShape, classes }, _settings, id) => cnn(inputShape, classes, { id, blocks: SMALL }),
});

export const cnnBn = defineModel({
  id: "cnn-bn",
  title: "the small one with batch normalisation",
  settings: NONE,
  create: ({ inputShape, classes }, _settings, id) =>
    cnn(inputShape, classes, { id, blocks: SMALL, batchNorm: true }),
});

export const cnnMedium = defineModel({
  id: "cnn-medium",
  title: "two 3×3 convolutions (32 and 64 channels) with pooling, a hidden layer of 128",
  settings: NONE,
  create: ({ inputShape, classes }, _settings, id) =>
    cnn(inputShape, classes, {
      id,
      blocks: [
        { channels: 32, kernel: 3, padding: 1, pool: 2 },
        { channels: 64, kernel: 3, padding: 1, pool: 2 },
      ],
      hidden: 128,
    }),
});

/**
 * A convolutional network for images [channels, height, width]: blocks, then one or two dense layers.
 * Pooling comes before ReLU, which gives the same result as after it and a cheaper gradient.
 *
 * @throws LETHE_USAGE_MODEL when the input is not an image or too small for the blocks
 */
export function cnn(inputShape: readonly number[], classes: number, options: CnnOptions): Architecture {
  const { id, batchNorm = false } = options;
  const { channels, height, width } = imageSizes(inputShape, id);
  let inputs = channels;
  let [h, w] = [height, width];
  const blocks = options.blocks.map((block, index) => {
    const { kernel, stride = 1, padding = 0, pool = 1 } = block;
    const shrink = (size: number): number =>
      Math.floor(Math.floor((size + 2 * padding - kernel) / stride + 1) / pool);
    [h, w] = [shrink(h), shrink(w)];
    // Here and not at the end: padding further on would make a picture out of nothing.
    if (h < 1 || w < 1) throw tooSmall(id, height, width);
    const module = sequence(
      convolution(`conv${index + 1}`, {
        inputs,
        outputs: block.channels,
        kernel,
        stride,
        padding,
        bias: !batchNorm,
      }),
      ...(batchNorm ? [batchNormalized(`bn${index + 1}`, block.channels)] : []),
      ...(pool > 1 ? [maxPooled(pool)] : []),
      stateless(relu),
    );
    inputs = block.channels;
    return module;
  });
  const features = inputs * h * w;
  const { hidden } = options;
  const head =
    hidden === undefined
      ? [dense("fc1", { inputs: features, outputs: classes })]
      : [
          dense("fc1", { inputs: features, outputs: hidden }),
          stateless(relu),
          dense("fc2", { inputs: hidden, outputs: classes }),
        ];
  return networkOf({ id, inputShape, classes }, sequence(...blocks, flattened, ...head));
}
