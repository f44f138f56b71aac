import { LetheError } from "../../kernel/errors.ts";
import { int, text } from "../attributes.ts";
import type { Value } from "../ir.ts";
import { OWN_DOMAIN } from "../operator.ts";
import { type Dim, formatShape, isStatic, normalizeAxis, type Shape } from "../shape.ts";

/** The sizes of x as an int64 vector: a constant where all are known. */
export const shapeOf = (x: Value): Value =>
  isStatic(x.shape) ? x.graph.integers(x.shape) : x.graph.apply("Shape", [x]);

/**
 * The same elements in another shape.
 *
 * @param shape - at most one size may be a name, or −1: it is what the others leave
 * @throws LETHE_DATA_SHAPE when more than one has only a name
 */
export function reshape(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  const named = shape.filter((dim) => typeof dim === "string");
  if (named.length <= 1) {
    return x.graph.apply("Reshape", [
      x,
      x.graph.integers(shape.map((dim) => (typeof dim === "string" ? -1 : dim))),
    ]);
  }
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected at most one named size in a new shape, got ${formatShape(shape)} for \`${x.name}\`. ` +
      "Export the model with fixed sizes; only the batch may stay open.",
  );
}

/** The same elements in the shape of another value. */
export const reshapeLike = (x: Value, like: Value): Value =>
  like.shape.filter((dim) => typeof dim === "string").length <= 1
    ? reshape(x, like.shape)
    : x.graph.apply("Reshape", [x, shapeOf(like)]);

/** x with axes from `axis` on merged into one and those before it into another. */
export const flatten = (x: Value, axis = 1): Value => x.graph.apply("Flatten", [x], { axis: int(axis) });

/** x repeated along axes of size 1 to the shape of another value. */
export const expandLike = (x: Value, like: Value): Value =>
  sameShape(x.shape, like.shape) ? x : x.graph.apply("Expand", [x, shapeOf(like)]);

/** Adds axes of size 1 at the given places of the result. */
export const unsqueeze = (x: Value, axes: readonly number[]): Value =>
  axes.length === 0 ? x : x.graph.apply("Unsqueeze", [x, x.graph.integers(axes)]);

/** Removes axes of size 1. */
export const squeeze = (x: Value, axes: readonly number[]): Value =>
  axes.length === 0 ? x : x.graph.apply("Squeeze", [x, x.graph.integers(axes)]);

/** Axes in another order. */
export const transpose = (x: Value, order: readonly number[]): Value =>
  order.every((axis, index) => axis === index)
    ? x
    : x.graph.apply("Transpose", [x], { perm: { type: "ints", value: order } });

/** Values one after another along an axis. */
export const concat = (values: readonly Value[], axis: number): Value => {
  const [first] = values;
  if (first === undefined) throw new Error("concat of nothing");
  return values.length === 1
    ? first
    : first.graph.apply("Concat", values, { axis: int(normalizeAxis(axis, first.shape.length)) });
};

/** Where to begin, where to end (exclusive) and how to step, along chosen axes. */
export interface SliceRange {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step?: number;
}

/** The values into which x falls apart along an axis, of the given sizes. */
export const split = (x: Value, sizes: readonly number[], axis: number): readonly Value[] =>
  sizes.length === 1
    ? [x]
    : x.graph.emit(
        "Split",
        [x, x.graph.integers(sizes)],
        { axis: int(normalizeAxis(axis, x.shape.length)) },
        { outputCount: sizes.length },
      );

/** A box out of x. */
export const slice = (x: Value, ranges: readonly SliceRange[]): Value =>
  ranges.length === 0
    ? x
    : x.graph.apply("Slice", [
        x,
        x.graph.integers(ranges.map((range) => range.start)),
        x.graph.integers(ranges.map((range) => range.end)),
        x.graph.integers(ranges.map((range) => range.axis)),
        x.graph.integers(ranges.map((range) => range.step ?? 1)),
      ]);

/** x with `before[i]` and `after[i]` constants added at the ends of axis i; elements cut off where they are negative. */
export const pad = (x: Value, before: readonly number[], after: readonly number[], fill = 0): Value =>
  [...before, ...after].every((count) => count === 0)
    ? x
    : x.graph.apply("Pad", [x, x.graph.integers([...before, ...after]), x.graph.scalar(fill, x.dtype)], {
        mode: text("constant"),
      });

/** Zeros of x's shape and type. */
export const zerosLike = (x: Value): Value => expandLike(x.graph.scalar(0, x.dtype), x);

/** Ones of x's shape and type. */
export const onesLike = (x: Value): Value => expandLike(x.graph.scalar(1, x.dtype), x);

/** The same value as a constant: gradients do not pass through it (a running estimate, the inner gradient of a first-order scheme). */
export const stopGradient = (x: Value): Value => x.graph.apply("StopGradient", [x], {}, OWN_DOMAIN);

/** The same value; cuts nothing, names something. */
export const identity = (x: Value): Value => x.graph.apply("Identity", [x]);

function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim: Dim, axis) => dim === b[axis]);
}
