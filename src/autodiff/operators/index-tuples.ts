import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import {
  add,
  gather,
  gatherElements,
  greater,
  mul,
  reduceSum,
  reshape,
  scatterElements,
  shapeOf,
  slice,
  squeeze,
  where,
} from "../../onnx/functions/index.ts";
import type { InferContext, Operator, Value } from "../../onnx/ir.ts";
import { type Dim, formatShape, isStatic, productOfDims } from "../../onnx/shape.ts";
import { composite } from "./composite.ts";
import { knownSize } from "./known.ts";
import { inputOf } from "./rule.ts";
import { scatterReduction } from "./scatter.ts";

/**
 * Reading and writing at positions given by several indices each. The axes they run over are merged into one of rows, and a
 * tuple of indices becomes a row number. ONNX Runtime's own ScatterND loses updates when it has to reduce at repeated
 * positions with more than one thread: it is never emitted.
 */
export const indexTupleOperators: readonly Operator[] = [
  composite("GatherND", readTuples, {
    limits: "Of the axes the tuples run over all but the first have to be of known size.",
  }),
  composite("ScatterND", writeTuples, {
    limits:
      "Of the axes the tuples run over all but the first have to be of known size. Otherwise as ScatterElements, which it " +
      "becomes.",
  }),
];

function readTuples(context: InferContext): readonly Value[] {
  const [x, indices] = [inputOf(context, 0), inputOf(context, 1)];
  const batch = numberAttribute(context.attributes, "batch_dims", 0);
  const depth = depthOf(x, indices, batch);
  const rest = x.shape.slice(batch + depth);
  const rows = productOfDims(x.shape.slice(batch, batch + depth));
  const numbers = rowNumbers(x, indices, batch, depth);
  if (batch === 0) return [gather(reshape(x, [rows, ...rest]), numbers)];
  const lead = x.shape.slice(0, batch);
  const reads = indices.shape.slice(batch, -1);
  const width = productOfDims(rest);
  const table = reshape(x, [productOfDims(lead), rows, width]);
  const flat = reshape(numbers, [productOfDims(lead), productOfDims(reads), 1]);
  return [reshape(gatherElements(table, widened(flat, width), 1), [...lead, ...reads, ...rest])];
}

function writeTuples(context: InferContext): readonly Value[] {
  const [x, indices, updates] = [inputOf(context, 0), inputOf(context, 1), inputOf(context, 2)];
  const depth = depthOf(x, indices, 0);
  const rest = x.shape.slice(depth);
  const expected = [...indices.shape.slice(0, -1), ...rest];
  if (updates.shape.length !== expected.length) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected updates of shape ${formatShape(expected)}, got ${formatShape(updates.shape)}.`,
    );
  }
  const width = productOfDims(rest);
  const writes = productOfDims(indices.shape.slice(0, -1));
  const table = reshape(x, [productOfDims(x.shape.slice(0, depth)), width]);
  const positions = widened(reshape(rowNumbers(x, indices, 0, depth), [writes, 1]), width);
  const reduction = scatterReduction(context.attributes);
  const written = scatterElements(table, positions, reshape(updates, [writes, width]), { reduction });
  return [reshape(written, x.shape)];
}

/** How many axes of x an index tuple runs over. */
function depthOf(x: Value, indices: Value, batch: number): number {
  const depth = knownSize(indices, indices.shape.length - 1);
  if (depth >= 1 && batch + depth <= x.shape.length && batch < indices.shape.length) return depth;
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected tuples of 1 to ${x.shape.length - batch} indices into ${formatShape(x.shape)} behind ${batch} batch axes, ` +
      `got indices of shape ${formatShape(indices.shape)}.`,
  );
}

/** Σᵢ indexᵢ·strideᵢ, [..., depth] → [...]; negative indices count from the end. */
function rowNumbers(x: Value, indices: Value, from: number, depth: number): Value {
  const { graph } = x;
  const sizes = x.shape.slice(from, from + depth);
  const bounds = isStatic(sizes)
    ? graph.integers(sizes)
    : slice(shapeOf(x), [{ axis: 0, start: from, end: from + depth }]);
  const fromFront = where(greater(0, indices), add(indices, bounds), indices);
  const last = indices.shape.length - 1;
  if (depth === 1) return squeeze(fromFront, [last]);
  const strides = sizes.map((_, index) =>
    sizes
      .slice(index + 1)
      .reduce<number>((product, _size, at) => product * knownSize(x, from + index + 1 + at), 1),
  );
  return reduceSum(mul(fromFront, graph.integers(strides)), { axes: [last] });
}

/** Row numbers [..., 1] repeated along the last axis for every element of a row. */
function widened(rows: Value, width: Dim): Value {
  if (width === 1) return rows;
  const shape = rows.shape.map((_, axis) => (axis === rows.shape.length - 1 ? width : 1));
  if (!isStatic(shape)) {
    throw new LetheError("data", "DATA_SHAPE", `Expected rows of known size, got ${formatShape([width])}.`);
  }
  return rows.graph.apply("Expand", [rows, rows.graph.integers(shape)]);
}
