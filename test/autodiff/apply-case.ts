import { expect } from "vitest";
import { operators } from "../../src/autodiff/operators/index.ts";
import { deriveKey, type Key, randomStream } from "../../src/kernel/key.ts";
import { Graph } from "../../src/onnx/graph.ts";
import type { OperatorTable, Value } from "../../src/onnx/ir.ts";
import type { DType } from "../../src/onnx/tensor.ts";
import type { NumericArray } from "../../src/runtime/program.ts";
import type { NdArray } from "../support/interpreter/nd-array.ts";
import type { OperatorCase } from "./operator-case.ts";

/** The table with every operator as a node, those too that are made of others. */
export const wholeOperators: OperatorTable = new Map(
  [...operators].map(([key, { lower: _, ...operator }]) => [key, operator] as const),
);

/** The applied operator and random inputs. */
export interface AppliedCase {
  readonly graph: Graph;
  readonly feeds: Record<string, NdArray>;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  feed(name: string, shape: readonly number[], elements: readonly number[]): void;
  normal(shape: readonly number[]): number[];
}

/**
 * Applies the operator of a case to graph inputs, and draws their elements.
 *
 * @param table - `operators`, or `wholeOperators` to have a node also for what is made of others
 */
export function applyCase(
  testCase: OperatorCase,
  dtype: "float32" | "float64",
  key: Key,
  table: OperatorTable,
): AppliedCase {
  const graph = new Graph(table);
  const random = randomStream(deriveKey(key, "inputs"));
  const feeds: Record<string, NdArray> = {};
  const feed = (name: string, shape: readonly number[], elements: readonly number[]): void => {
    // What single precision cannot hold is rounded in both, so that both compute with the same numbers.
    feeds[name] = { shape, data: Float64Array.from(elements, dtype === "float32" ? Math.fround : Number) };
  };
  const inputs = testCase.inputs.map((spec, index) => {
    const count = spec.shape.reduce((product, size) => product * size, 1);
    feed(`x${index}`, spec.shape, spec.sample(random, count));
    const shape = spec.isBatch ? ["batch", ...spec.shape.slice(1)] : spec.shape;
    return graph.input(`x${index}`, spec.dtype ?? dtype, shape);
  });
  const normal = (shape: readonly number[]): number[] =>
    Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => random.normal());
  const built = testCase.build(...inputs);
  const outputs = Array.isArray(built) ? (built as readonly Value[]) : [built as Value];
  return { graph, feeds, inputs, outputs, feed, normal };
}

/** Double-precision elements as the array of another type. */
export function typed(data: Float64Array, dtype: DType): NumericArray {
  if (dtype === "int64") return BigInt64Array.from(data, BigInt);
  if (dtype === "float64") return data;
  return dtype === "bool" ? Uint8Array.from(data) : Float32Array.from(data);
}

/** Equal up to `tolerance` times the largest expected element, or 1. */
export function expectClose(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  expect(got.length, `${what}: elements`).toBe(expected.length);
  const scale = Array.from(expected).reduce((most, x) => Math.max(most, Math.abs(x)), 1);
  const worst = Array.from(got).reduce((most, x, i) => {
    const error = Math.abs(x - (expected[i] as number)) / scale;
    return Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(most, error);
  }, 0);
  expect(worst, `${what}: worst relative error`).toBeLessThan(tolerance);
}
