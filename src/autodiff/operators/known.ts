import { LetheError } from "../../kernel/errors.ts";
import { knownContents } from "../../onnx/graph.ts";
import type { InferContext, Value } from "../../onnx/ir.ts";
import { type Dim, isStatic } from "../../onnx/shape.ts";
import { inputOf } from "./rule.ts";

/**
 * The elements of a shape-like input; named sizes may be among them.
 *
 * @throws LETHE_DATA_SHAPE when they are only known once the graph runs
 */
export function contentsOf(context: InferContext, index: number): readonly Dim[] {
  const contents = knownContents(inputOf(context, index));
  if (contents === undefined) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected input ${index} of ${context.type} to be known before the graph runs, got a computed one.`,
    );
  }
  return contents;
}

/**
 * The elements of a constant: axes, pads, positions.
 *
 * @throws LETHE_DATA_SHAPE when they are computed or named
 */
export function integersOf(value: Value | undefined): number[] {
  const contents = knownContents(value);
  if (contents === undefined || !isStatic(contents)) {
    throw new LetheError("data", "DATA_SHAPE", "Expected constant integers, got computed ones.");
  }
  return [...contents];
}

/**
 * The size of one axis.
 *
 * @throws LETHE_DATA_SHAPE when it has only a name
 */
export function knownSize(value: Value, axis: number): number {
  const size = value.shape[axis];
  if (typeof size === "number") return size;
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected axis ${axis} of \`${value.name}\` to have a known size, got ${size === undefined ? "no such axis" : `\`${size}\``}. ` +
      "Export the model with a fixed size there; only the batch may stay open.",
  );
}

/**
 * The sizes of the axes after batch and channels.
 *
 * @throws LETHE_DATA_SHAPE when x has no such axes or one has only a name
 */
export function spatialSizes(x: Value): number[] {
  if (x.shape.length < 3) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected \`${x.name}\` as [batch, channels, …], with one axis of space at least, got rank ${x.shape.length}.`,
    );
  }
  return x.shape.slice(2).map((_, index) => knownSize(x, index + 2));
}
