import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { gradients } from "../../src/autodiff/gradients.ts";
import { operators } from "../../src/autodiff/operators/index.ts";
import { add, mul, reduceSum } from "../../src/onnx/functions/index.ts";
import { Graph } from "../../src/onnx/graph.ts";
import type { Value } from "../../src/onnx/ir.ts";
import { compileProgram, type NumericArray } from "../../src/runtime/program.ts";

/** What the generating scripts write of a case; what it is a case of besides. */
export interface GoldenCase {
  readonly name: string;
  readonly inputs: Readonly<Record<string, GoldenArray>>;
  readonly directions: Readonly<Record<string, readonly number[]>>;
  readonly constants: Readonly<Record<string, GoldenArray>>;
  readonly value: number;
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  /** The Hessian times the directions. */
  readonly products: Readonly<Record<string, readonly number[]>>;
}

interface GoldenArray {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** A model's loss, and further values with what they have to be. */
export interface GoldenModel {
  readonly loss: Value;
  readonly expected?: Readonly<Record<string, readonly [Value, readonly number[]]>>;
}

/** Inputs that hold whole numbers. */
const INTEGERS = ["labels", "indices"];

/** Relative to the largest element of an array: single precision against double. */
const TOLERANCE = 1e-5;

/** The cases of a golden file in this folder. */
export function readGolden<C extends GoldenCase>(file: string): readonly C[] {
  return (
    JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8")) as { readonly cases: readonly C[] }
  ).cases;
}

/** Loss, gradients and Hessian-vector products of a case, at two threads, against PyTorch's. */
export async function checkGolden(
  entry: GoldenCase,
  build: (values: Readonly<Record<string, Value>>) => GoldenModel,
): Promise<void> {
  const graph = new Graph(operators);
  const feeds: Record<string, NumericArray> = {};
  const declare = (name: string, { shape, data }: GoldenArray): Value => {
    const isInteger = INTEGERS.includes(name);
    feeds[name] = isInteger ? BigInt64Array.from(data, BigInt) : Float32Array.from(data);
    return graph.input(name, isInteger ? "int64" : "float32", shape);
  };
  const declareAll = (arrays: Readonly<Record<string, GoldenArray>>): Record<string, Value> =>
    Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, declare(name, array)]));

  const inputs = declareAll(entry.inputs);
  const constants = declareAll(entry.constants);
  const { loss, expected = {} } = build({ ...inputs, ...constants });
  const variables = Object.entries(inputs);
  const first = gradients(
    loss,
    variables.map(([, value]) => value),
  );
  const slope = variables
    .map(([name, value], index) => {
      const data = entry.directions[name] as readonly number[];
      const direction = declare(`direction_${name}`, { shape: value.shape as number[], data });
      return reduceSum(mul(first[index] as Value, direction));
    })
    .reduce(add);
  const second = gradients(
    slope,
    variables.map(([, value]) => value),
  );
  const outputs = new Map<string, Value>([["loss", loss]]);
  const answers = new Map<string, readonly number[]>([["loss", [entry.value]]]);
  variables.forEach(([name], index) => {
    outputs.set(`gradient of ${name}`, first[index] as Value);
    answers.set(`gradient of ${name}`, entry.gradients[name] as readonly number[]);
    outputs.set(`product of ${name}`, second[index] as Value);
    answers.set(`product of ${name}`, entry.products[name] as readonly number[]);
  });
  for (const [name, [value, answer]] of Object.entries(expected)) {
    outputs.set(name, value);
    answers.set(name, answer);
  }
  await using program = await compileProgram(
    { inputs: graph.inputs, outputs },
    { threads: 2, spinning: false },
  );
  const results = await program.run(feeds);
  for (const [name, answer] of answers) expectClose(name, results[name] as Float32Array, answer);
}

function expectClose(name: string, got: Float32Array, expected: readonly number[]): void {
  expect(got.length, name).toBe(expected.length);
  const scale = Math.max(...expected.map(Math.abs), Number.MIN_VALUE);
  const worst = Math.max(...expected.map((x, i) => Math.abs(x - (got[i] as number)) / scale));
  expect(worst, name).toBeLessThan(TOLERANCE);
}
