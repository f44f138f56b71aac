import { expect } from "vitest";
import { gradients } from "../../src/autodiff/gradients.ts";
import type { Value } from "../../src/onnx/ir.ts";
import type { readModel } from "../../src/onnx/read-model.ts";
import { compileProgram, type NumericArray } from "../../src/runtime/program.ts";

/** Single precision against double, relative to the largest element. */
const TOLERANCE = 1e-5;

/** Runs the model with its own weights and compares the gradients of `loss`. */
export async function evaluate(
  model: ReturnType<typeof readModel>,
  loss: Value,
  answers: Readonly<Record<string, readonly number[]>>,
  run: {
    readonly inputs: Readonly<Record<string, NumericArray>>;
    readonly outputs: Readonly<Record<string, Value>>;
    readonly declared: readonly Value[];
  },
): Promise<Readonly<Record<string, NumericArray>>> {
  const weights = [...model.weights.keys()].filter((weight) => weight.name in answers);
  expect(weights.map((weight) => weight.name).sort()).toEqual(Object.keys(answers).sort());
  const slopes = gradients(loss, weights);
  const outputs = new Map(Object.entries(run.outputs));
  slopes.forEach((slope, index) => {
    outputs.set(`gradient of ${weights[index]?.name}`, slope);
  });
  await using program = await compileProgram(
    { inputs: run.declared, outputs, initializers: model.weights },
    { threads: 2, spinning: false },
  );
  const results = await program.run(run.inputs);
  for (const [name, answer] of Object.entries(answers)) {
    expectClose(name, results[`gradient of ${name}`], answer);
  }
  return results;
}

/** Equal up to the tolerance, relative to the largest element. */
export function expectClose(name: string, got: NumericArray | undefined, answer: readonly number[]): void {
  const numbers = Array.from(got as Float32Array, Number);
  expect(numbers.length, name).toBe(answer.length);
  const scale = Math.max(...answer.map(Math.abs));
  const worst = Math.max(...answer.map((x, i) => Math.abs(x - (numbers[i] as number)) / scale));
  expect(worst, name).toBeLessThan(TOLERANCE);
}
