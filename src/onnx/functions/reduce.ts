import { sizeOf } from "../../kernel/layout.ts";
import { int } from "../attributes.ts";
import type { Value } from "../ir.ts";
import { broadcastAxes, isStatic, normalizeAxis, type Shape } from "../shape.ts";
import { cast, div, mul } from "./elementwise.ts";
import { shapeOf, squeeze } from "./structure.ts";

/** Which axes to reduce (all when left out) and whether they stay as size 1. */
export interface ReduceOptions {
  readonly axes?: readonly number[];
  readonly keepDims?: boolean;
}

/** Σ x over axes. */
export const reduceSum = (x: Value, options: ReduceOptions = {}): Value => reduce("ReduceSum", x, options);

/** The mean over axes. */
export const reduceMean = (x: Value, options: ReduceOptions = {}): Value => reduce("ReduceMean", x, options);

/** The maximum over axes. */
export const reduceMax = (x: Value, options: ReduceOptions = {}): Value => reduce("ReduceMax", x, options);

/** The position of the maximum along one axis, int64. */
export const argMax = (x: Value, axis: number, keepDims = false): Value =>
  x.graph.apply("ArgMax", [x], {
    axis: int(normalizeAxis(axis, x.shape.length)),
    keepdims: int(keepDims ? 1 : 0),
  });

/** Sums a broadcast gradient back to the shape of the operand it belongs to. */
export function sumTo(gradient: Value, shape: Shape): Value {
  const axes = broadcastAxes(shape, gradient.shape);
  if (axes.length === 0) return gradient;
  const lead = gradient.shape.length - shape.length;
  const summed = reduceSum(gradient, { axes, keepDims: true });
  return squeeze(
    summed,
    Array.from({ length: lead }, (_, axis) => axis),
  );
}

/**
 * The number of elements along `axes` as a scalar of x's type: a constant where the sizes are known, otherwise computed
 * when the graph runs.
 */
export function countOf(x: Value, axes: readonly number[]): Value {
  const sizes = axes.map((axis) => x.shape[axis] ?? 1);
  if (isStatic(sizes)) return x.graph.scalar(sizeOf(sizes), x.dtype);
  const known = sizes.reduce<number>(
    (product, size) => (typeof size === "number" ? product * size : product),
    1,
  );
  const dims = x.graph.apply("Gather", [
    shapeOf(x),
    x.graph.integers(axes.filter((axis) => typeof x.shape[axis] === "string")),
  ]);
  const named = cast(reduce("ReduceProd", dims, {}), x.dtype);
  return mul(named, known);
}

/** x / count along axes: the mean's other half, for gradients. */
export const divideByCount = (x: Value, source: Value, axes: readonly number[]): Value => {
  const count = countOf(source, axes);
  return count.constant === undefined ? div(x, count) : mul(x, 1 / Number(count.constant.data[0]));
};

function reduce(type: string, x: Value, options: ReduceOptions): Value {
  const axes = options.axes?.map((axis) => normalizeAxis(axis, x.shape.length));
  if (axes?.length === 0) return x;
  return x.graph.apply(type, [x, axes === undefined ? undefined : x.graph.integers(axes)], {
    keepdims: int(options.keepDims ? 1 : 0),
  });
}
