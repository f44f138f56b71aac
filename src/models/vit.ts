import { z } from "zod";
import { LetheError } from "../kernel/errors.ts";
import { reduceMean, reshape, transpose } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import type { Dim } from "../onnx/shape.ts";
import type { Architecture } from "./architecture.ts";
import { type ImageSizes, imageSizes } from "./image-input.ts";
import { dense } from "./modules/dense.ts";
import { positionEmbedding } from "./modules/embedding.ts";
import { layerNormalisedBlocks } from "./modules/layer-normalised-blocks.ts";
import { networkOf, sequence, stateless } from "./modules/module.ts";
import { layerNormalized } from "./modules/normalization.ts";
import { defineModel } from "./ready-model.ts";
import { attentionSizes, requireWholeHeads, transformerNormal } from "./transformer-settings.ts";

const settings = z.strictObject({
  /** Side of a patch. */
  patch: z.coerce.number().int().min(1).optional(),
  ...attentionSizes({ width: 64, depth: 4, heads: 4 }),
});

/** Patch sides in order of preference, where none is given: 4 fits images of 28 and 32 alike. */
const USUAL_PATCHES = [4, 7, 2, 3, 5, 1] as const;

export const vit = defineModel({
  id: "vit",
  title: "vision transformer; settings patch=4, width=64, depth=4, heads=4; trains with adamw",
  settings,
  create: (sizes, chosen, id) => visionTransformer(sizes.inputShape, sizes.classes, chosen, id),
});

/**
 * A vision transformer: patches as positions, pre-normalised blocks of attention and feed-forward layers, the mean over positions,
 * one dense layer.
 *
 * @throws LETHE_USAGE_MODEL when the image does not fall into patches, or the width into heads
 * Source: Dosovitskiy et al. (2020), arXiv 2010.11929. Departures, as Beyer et al. (2022), arXiv 2205.01580, found as good on small
 * data: the mean over positions for a class token, no dropout.
 */
function visionTransformer(
  inputShape: readonly number[],
  classes: number,
  chosen: z.output<typeof settings>,
  id: string,
): Architecture {
  const image = imageSizes(inputShape, id);
  const { width, depth, heads } = chosen;
  requireWholeHeads(id, chosen);
  const patch = chosen.patch ?? USUAL_PATCHES.find((side) => fits(image, side)) ?? 1;
  if (!fits(image, patch)) {
    throw new LetheError(
      "usage",
      "USAGE_MODEL",
      `Expected images that fall into patches of ${patch}×${patch} for model \`${id}\`, got ${image.height}×${image.width}. Set patch=SIDE.`,
    );
  }
  const positions = (image.height / patch) * (image.width / patch);
  const start = transformerNormal(depth);
  const { initial, std } = start;
  const blocks = layerNormalisedBlocks({ depth, width, heads, positions, causal: false, start });
  return networkOf(
    { id, inputShape, classes },
    sequence(
      stateless((x) => patches(x, image, patch)),
      dense("patches", { inputs: image.channels * patch * patch, outputs: width, initial }),
      positionEmbedding("positions", { positions, width, std }),
      ...blocks,
      layerNormalized("norm", width),
      stateless((x) => reduceMean(x, { axes: [1] })),
      dense("head", { inputs: width, outputs: classes, initial }),
    ),
  );
}

/** [batch, channels, height, width] → [batch, positions, channels·side·side]. */
function patches(x: Value, { channels, height, width }: ImageSizes, side: number): Value {
  const [batch] = x.shape as readonly [Dim];
  const [rows, columns] = [height / side, width / side];
  const cut = reshape(x, [batch, channels, rows, side, columns, side]);
  return reshape(transpose(cut, [0, 2, 4, 1, 3, 5]), [batch, rows * columns, channels * side * side]);
}

function fits({ height, width }: ImageSizes, side: number): boolean {
  return height % side === 0 && width % side === 0;
}
