import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute, stringAttribute } from "../../onnx/attributes.ts";
import { reshape, transpose } from "../../onnx/functions/index.ts";
import type { InferContext, Operator, Value } from "../../onnx/ir.ts";
import { type Dim, formatShape } from "../../onnx/shape.ts";
import { composite } from "./composite.ts";
import { knownSize } from "./known.ts";
import { inputOf } from "./rule.ts";

/** Blocks of pixels moved into channels and back (pixel shuffle). */
export const spaceDepthOperators: readonly Operator[] = [
  composite("SpaceToDepth", (context) => {
    const { x, batch, channels, height, width, block } = partsOf(context);
    requireWhole([height / block, width / block], x, block);
    const [rows, columns] = [height / block, width / block];
    const split = reshape(x, [batch, channels, rows, block, columns, block]);
    return [reshape(transpose(split, [0, 3, 5, 1, 2, 4]), [batch, channels * block * block, rows, columns])];
  }),
  composite("DepthToSpace", (context) => {
    const { x, batch, channels, height, width, block } = partsOf(context);
    const depth = channels / (block * block);
    requireWhole([depth], x, block);
    // Either the place in the block comes first among the channels (DCR) or last (CRD).
    const isDepthFirst = stringAttribute(context.attributes, "mode", "DCR") === "DCR";
    const spread = isDepthFirst
      ? transpose(reshape(x, [batch, block, block, depth, height, width]), [0, 3, 4, 1, 5, 2])
      : transpose(reshape(x, [batch, depth, block, block, height, width]), [0, 1, 4, 2, 5, 3]);
    return [reshape(spread, [batch, depth, height * block, width * block])];
  }),
];

function partsOf(context: InferContext) {
  const x = inputOf(context, 0);
  const [batch = 1] = x.shape as readonly Dim[];
  const block = numberAttribute(context.attributes, "blocksize", 0);
  if (x.shape.length !== 4 || block < 1) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected [batch, channels, height, width] and a blocksize ≥ 1, got ${formatShape(x.shape)} and ${block}.`,
    );
  }
  return { x, batch, channels: knownSize(x, 1), height: knownSize(x, 2), width: knownSize(x, 3), block };
}

function requireWhole(sizes: readonly number[], x: Value, block: number): void {
  if (sizes.every(Number.isInteger)) return;
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected sizes that divide into blocks of ${block}, got ${formatShape(x.shape)}.`,
  );
}
