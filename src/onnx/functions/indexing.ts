import { int, text } from "../attributes.ts";
import type { Value } from "../ir.ts";
import { type DType, tensorOfNumbers } from "../tensor.ts";
import { cast } from "./elementwise.ts";

/** Rows of x by index along an axis. */
export const gather = (x: Value, indices: Value, axis = 0): Value =>
  x.graph.apply("Gather", [x, indices], { axis: int(axis) });

/** Class numbers as 0/1 vectors of length `depth` along a new axis (the last one when left out), in a floating type. */
export const oneHot = (indices: Value, depth: number, dtype: DType = "float32", axis = -1): Value =>
  indices.graph.apply(
    "OneHot",
    [
      // The engine takes few pairs of integer types here.
      cast(indices, "int64"),
      indices.graph.scalar(depth, "int64"),
      indices.graph.constant(tensorOfNumbers(dtype, [2], [0, 1])),
    ],
    { axis: int(axis) },
  );

/** Single elements: y[i, j, …] = x[…, indices[i, j, …], …], the index standing in for the position along `axis`. */
export const gatherElements = (x: Value, indices: Value, axis = 0): Value =>
  x.graph.apply("GatherElements", [x, indices], { axis: int(axis) });

/** Options of {@link scatterElements}. */
export interface ScatterOptions {
  readonly axis?: number;
  /** What happens where an update meets an element: it takes its place, or both are reduced to one. */
  readonly reduction?: "none" | "add" | "mul" | "min" | "max";
}

/** x with `updates` put at (or reduced with) the positions {@link gatherElements} would read. */
export const scatterElements = (
  x: Value,
  indices: Value,
  updates: Value,
  options: ScatterOptions = {},
): Value => {
  const { axis = 0, reduction = "none" } = options;
  return x.graph.apply("ScatterElements", [x, indices, updates], {
    axis: int(axis),
    ...(reduction === "none" ? {} : { reduction: text(reduction) }),
  });
};
