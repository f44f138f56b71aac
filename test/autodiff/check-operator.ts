import { expect } from "vitest";
import { gradients } from "../../src/autodiff/gradients.ts";
import { operators } from "../../src/autodiff/operators/index.ts";
import { deriveKey, type Key, randomStream } from "../../src/kernel/key.ts";
import { add, mul, reduceSum } from "../../src/onnx/functions/index.ts";
import { Graph } from "../../src/onnx/graph.ts";
import type { OperatorTable, Value } from "../../src/onnx/ir.ts";
import { type DType, isFloating } from "../../src/onnx/tensor.ts";
import { compileProgram, type NumericArray } from "../../src/runtime/program.ts";
import type { NdArray } from "../support/interpreter/nd-array.ts";
import { interpret } from "../support/interpreter.ts";
import type { OperatorCase } from "./operator-case.ts";

/** Relative to the largest element (or 1): what double precision and a fourth-order difference leave. */
const EXACT = 1e-7;
/** What single precision leaves of a forward pass, and of gradients, which are longer sums. */
const FORWARD_SINGLE = 2e-6;
const GRADIENT_SINGLE = 1e-5;
/** The step of the difference quotients; kinks and ties in the samples are farther away. */
const STEP = 3e-4;

/**
 * Checks one use of an operator: inferred shapes against real ones, first and second derivatives in double precision
 * against difference quotients, and ONNX Runtime in single precision, with 1 and 2 threads, against the interpreter.
 */
export async function checkOperator(testCase: OperatorCase, key: Key): Promise<void> {
  const double = instantiate(testCase, "float64", key);
  checkShapes(double);
  checkDefinition(testCase, key, double);
  checkFirstOrder(double);
  checkSecondOrder(double, key);
  await checkEngine(instantiate(testCase, "float32", key));
}

/** The table with every operator as a node, those too that are made of others. */
const whole: OperatorTable = new Map(
  [...operators].map(([key, { lower: _, ...operator }]) => [key, operator] as const),
);

/** A case as a graph: loss = Σ y·cotangent, its gradients, and the gradients of Σ gradient·direction. */
interface Instance {
  readonly feeds: Readonly<Record<string, NdArray>>;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Real inputs and cotangents: what the second order is taken in. */
  readonly variables: readonly Value[];
  readonly wrt: readonly Value[];
  readonly loss: Value | undefined;
  readonly first: readonly Value[];
  readonly slope: Value | undefined;
  readonly second: readonly Value[];
}

/** The applied operator and random inputs. */
interface Application {
  readonly graph: Graph;
  readonly feeds: Record<string, NdArray>;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  feed(name: string, shape: readonly number[], elements: readonly number[]): void;
  normal(shape: readonly number[]): number[];
}

function apply(
  testCase: OperatorCase,
  dtype: "float32" | "float64",
  key: Key,
  table: OperatorTable,
): Application {
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

function instantiate(testCase: OperatorCase, dtype: "float32" | "float64", key: Key): Instance {
  const { graph, feeds, inputs, outputs, feed, normal } = apply(testCase, dtype, key, operators);
  const real = testCase.isForwardOnly ? [] : outputs.filter((output) => isFloating(output.dtype));
  const wrt = real.length === 0 ? [] : inputs.filter((input) => isFloating(input.dtype));
  const sizes = interpret(real, feeds).map((result) => result.shape);
  const cotangents = real.map((output, index) => {
    const size = sizes[index] as readonly number[];
    feed(`c${index}`, size, normal(size));
    return graph.input(`c${index}`, output.dtype, output.shape);
  });
  const loss = total(real.map((output, index) => mul(output, cotangents[index] as Value)));
  const first = loss === undefined ? [] : gradients(loss, wrt);
  const directions = first.map((gradient, index) => {
    const size = (feeds[(wrt[index] as Value).name] as NdArray).shape;
    feed(`d${index}`, size, normal(size));
    return mul(gradient, graph.input(`d${index}`, dtype, (wrt[index] as Value).shape));
  });
  const slope = total(directions);
  const variables = [...wrt, ...cotangents];
  const second = slope === undefined ? [] : gradients(slope, variables);
  return { feeds, inputs: graph.inputs, outputs, variables, wrt, loss, first, slope, second };
}

function total(values: readonly Value[]): Value | undefined {
  return values.length === 0 ? undefined : values.map((value) => reduceSum(value)).reduce(add);
}

function checkShapes({ outputs, first, wrt, second, variables, feeds, inputs }: Instance): void {
  const open = inputs.find((input) => input.shape[0] === "batch");
  const batch = open === undefined ? 1 : (feeds[open.name] as NdArray).shape[0];
  const all = [...outputs, ...first, ...second];
  const results = interpret(all, feeds);
  all.forEach((value, index) => {
    const inferred = value.shape.map((dim) => (dim === "batch" ? batch : dim));
    const real = (results[index] as NdArray).shape;
    expect(
      inferred.map((dim, axis) => (typeof dim === "string" ? real[axis] : dim)),
      "inferred shape",
    ).toEqual(real);
  });
  expect(
    first.map((value) => value.shape),
    "shapes of gradients",
  ).toEqual(wrt.map((value) => value.shape));
  expect(
    second.map((value) => value.shape),
    "shapes of second gradients",
  ).toEqual(variables.map((value) => value.shape));
}

/** What an operator is made of gives what its definition gives, and has the shapes its shape rule says. */
function checkDefinition(testCase: OperatorCase, key: Key, { outputs, feeds }: Instance): void {
  const defined = apply(testCase, "float64", key, whole).outputs;
  expect(
    outputs.map(({ dtype, shape }) => ({ dtype, shape })),
    "types of the whole and of its parts",
  ).toEqual(defined.map(({ dtype, shape }) => ({ dtype, shape })));
  const results = interpret(outputs, feeds);
  interpret(defined, feeds).forEach((expected, index) => {
    expectClose((results[index] as NdArray).data, expected.data, EXACT, `definition of output ${index}`);
  });
}

/** Every element of every gradient against the difference quotient of the loss. */
function checkFirstOrder({ loss, first, wrt, feeds }: Instance): void {
  if (loss === undefined) return;
  const expected = wrt.map((input) => {
    const point = feeds[input.name] as NdArray;
    return Array.from(point.data, (_, element) =>
      quotient((step) => {
        const moved = { ...point, data: point.data.with(element, (point.data[element] as number) + step) };
        return scalarOf(loss, { ...feeds, [input.name]: moved });
      }),
    );
  });
  interpret(first, feeds).forEach((gradient, index) => {
    expectClose(gradient.data, expected[index] as number[], EXACT, `gradient ${index}`);
  });
}

/** The second gradients along random directions of all variables at once. */
function checkSecondOrder({ slope, second, variables, feeds }: Instance, key: Key): void {
  if (slope === undefined) return;
  const random = randomStream(deriveKey(key, "directions"));
  const results = interpret(second, feeds);
  for (let trial = 0; trial < 2; trial++) {
    const directions = variables.map((variable) =>
      (feeds[variable.name] as NdArray).data.map(() => random.normal()),
    );
    const expected = quotient((step) => {
      const moved = variables.map((variable, index) => {
        const { shape, data } = feeds[variable.name] as NdArray;
        const direction = directions[index] as Float64Array;
        return [
          variable.name,
          { shape, data: data.map((x, i) => x + step * (direction[i] as number)) },
        ] as const;
      });
      return scalarOf(slope, { ...feeds, ...Object.fromEntries(moved) });
    });
    const terms = results.flatMap(({ data }, index) =>
      Array.from(data, (x, i) => x * ((directions[index] as Float64Array)[i] as number)),
    );
    const scale = terms.reduce((sum, term) => sum + Math.abs(term), 1);
    const got = terms.reduce((sum, term) => sum + term, 0);
    expect(Math.abs(got - expected) / scale, "second order").toBeLessThan(EXACT);
  }
}

/** ∂f at 0 by the five-point formula, whose error is of fourth order. */
function quotient(f: (step: number) => number): number {
  return (8 * (f(STEP) - f(-STEP)) - (f(2 * STEP) - f(-2 * STEP))) / (12 * STEP);
}

function scalarOf(value: Value, feeds: Readonly<Record<string, NdArray>>): number {
  return interpret([value], feeds)[0]?.data[0] as number;
}

/** ONNX Runtime, two runs at each thread count, against the interpreter on the same single-precision inputs. */
async function checkEngine({ inputs, outputs, first, second, feeds }: Instance): Promise<void> {
  const groups = [
    ...outputs.map((value, index) => ({ name: `y${index}`, value, tolerance: FORWARD_SINGLE })),
    ...first.map((value, index) => ({ name: `g${index}`, value, tolerance: GRADIENT_SINGLE })),
    ...second.map((value, index) => ({ name: `h${index}`, value, tolerance: GRADIENT_SINGLE })),
  ];
  const expected = interpret(
    groups.map(({ value }) => value),
    feeds,
  );
  const arrays = Object.fromEntries(
    inputs.map((input) => [input.name, typed((feeds[input.name] as NdArray).data, input.dtype)]),
  );
  for (const threads of [1, 2]) {
    await using program = await compileProgram(
      { inputs, outputs: new Map(groups.map(({ name, value }) => [name, value])) },
      { threads, spinning: false },
    );
    const once = await program.run(arrays);
    expect(await program.run(arrays), `two runs at ${threads} thread(s)`).toEqual(once);
    groups.forEach(({ name, tolerance }, index) => {
      const got = Array.from(once[name] as ArrayLike<number | bigint>, Number);
      expectClose(got, (expected[index] as NdArray).data, tolerance, `${name} at ${threads} thread(s)`);
    });
  }
}

function typed(data: Float64Array, dtype: DType): NumericArray {
  if (dtype === "int64") return BigInt64Array.from(data, BigInt);
  if (dtype === "float64") return data;
  return dtype === "bool" ? Uint8Array.from(data) : Float32Array.from(data);
}

/** Equal up to `tolerance` times the largest expected element, or 1. */
function expectClose(
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
