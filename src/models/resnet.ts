import { z } from "zod";
import type { Architecture } from "./architecture.ts";
import { imageSizes } from "./image-input.ts";
import { lecunUniform } from "./initializers.ts";
import { dense } from "./modules/dense.ts";
import { networkOf, sequence } from "./modules/module.ts";
import { normalizedConvolution } from "./modules/normalized-convolution.ts";
import { globalMean } from "./modules/pooling.ts";
import { basicBlock } from "./modules/residual.ts";
import { defineModel } from "./ready-model.ts";
import { scaledWidth, widthFactor } from "./width-factor.ts";

/** A residual network for small images: a 3×3 stem, stages that halve the image from the second on, mean, dense layer. */
interface ResnetOptions {
  readonly id: string;
  /** Channels of each stage. */
  readonly channels: readonly number[];
  /** Basic blocks in a stage. */
  readonly blocks: number;
  readonly shortcut: "pad" | "project";
  /** Factor on the channels, rounded down. */
  readonly width: number;
}

/** ResNet-20 of the paper's section 4.2; 0.27 M parameters. */
export const resnet20 = defineModel({
  id: "resnet20",
  title: "residual network of three stages (16, 32, 64 channels); `resnet20:0.5` scales the channels",
  shorthand: "width",
  settings: z.strictObject({ width: widthFactor }),
  create: ({ inputShape, classes }, { width }, id) =>
    resnet(inputShape, classes, { id, channels: [16, 32, 64], blocks: 3, shortcut: "pad", width }),
});

/** ResNet-18 in its form for small images: no stride and no pooling in the stem; 11.17 M parameters for ten classes. */
export const resnet18 = defineModel({
  id: "resnet18",
  title: "residual network of four stages (64 to 512 channels); `resnet18:0.4` scales the channels",
  shorthand: "width",
  settings: z.strictObject({ width: widthFactor }),
  create: ({ inputShape, classes }, { width }, id) =>
    resnet(inputShape, classes, {
      id,
      channels: [64, 128, 256, 512],
      blocks: 2,
      shortcut: "project",
      width,
    }),
});

/**
 * A residual network of basic blocks.
 *
 * @throws LETHE_USAGE_MODEL when the input is not an image
 * Source: He et al., "Deep residual learning for image recognition" (2015), arXiv 1512.03385.
 */
function resnet(inputShape: readonly number[], classes: number, options: ResnetOptions): Architecture {
  const image = imageSizes(inputShape, options.id);
  const channels = options.channels.map((count) => scaledWidth(count, options.width));
  const [first] = channels as [number, ...number[]];
  const stages = channels.flatMap((outputs, stage) =>
    Array.from({ length: options.blocks }, (_, block) =>
      basicBlock(`stage${stage + 1}.block${block + 1}`, {
        inputs: block > 0 ? outputs : (channels[stage - 1] ?? first),
        outputs,
        stride: stage > 0 && block === 0 ? 2 : 1,
        shortcut: options.shortcut,
      }),
    ),
  );
  const network = sequence(
    normalizedConvolution("stem", image.channels, first),
    ...stages,
    globalMean,
    dense("head", { inputs: channels.at(-1) as number, outputs: classes, initial: lecunUniform }),
  );
  return networkOf({ id: options.id, inputShape, classes }, network);
}
