import { z } from "zod";
import { cnn } from "./cnn.ts";
import { imageSizes } from "./image-input.ts";
import { defineModel, type ReadyModel } from "./ready-model.ts";
import { scaledWidth, widthFactor } from "./width-factor.ts";

/** Channels of the 3×3 convolutions between two poolings: configurations A and D of the paper. */
const CONFIGURATIONS = {
  vgg11: [[64], [128], [256, 256], [512, 512], [512, 512]],
  vgg16: [
    [64, 64],
    [128, 128],
    [256, 256, 256],
    [512, 512, 512],
    [512, 512, 512],
  ],
} as const;

/** VGG-11; 9.2 M parameters for 32×32 images. */
export const vgg11 = vgg("vgg11", 8);

/** VGG-16; 14.7 M parameters for 32×32 images. */
export const vgg16 = vgg("vgg16", 13);

/**
 * A VGG network for small images: stages of 3×3 convolutions, each followed by pooling, one dense layer.
 * Source: Simonyan & Zisserman, "Very deep convolutional networks" (2014), arXiv 1409.1556. Departures, as usual for small
 * images: batch normalisation (unless it is switched off), one dense layer for three, no dropout, and no pooling once
 * the image is a single row or column (28×28 is pooled four times).
 */
function vgg(id: keyof typeof CONFIGURATIONS, depth: number): ReadyModel {
  return defineModel({
    id,
    title: `${depth} convolutions in five stages, one dense layer; settings width=1, batchNorm=true`,
    shorthand: "width",
    settings: z.strictObject({ width: widthFactor, batchNorm: z.stringbool().default(true) }),
    create: ({ inputShape, classes }, { width, batchNorm }, text) => {
      const image = imageSizes(inputShape, text);
      let side = Math.min(image.height, image.width);
      const blocks = CONFIGURATIONS[id].flatMap((stage) => {
        const isPooled = side > 1;
        side = Math.max(1, Math.floor(side / 2));
        return stage.map((channels, index) => ({
          channels: scaledWidth(channels, width),
          kernel: 3,
          padding: 1,
          ...(isPooled && index === stage.length - 1 ? { pool: 2 } : {}),
        }));
      });
      return cnn(inputShape, classes, { id: text, blocks, batchNorm });
    },
  });
}
