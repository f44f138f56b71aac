import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { operators } from "../autodiff/operators/index.ts";
import { Graph } from "../onnx/graph.ts";
import type { Value } from "../onnx/ir.ts";
import { compileProgram } from "../runtime/program.ts";
import { type OptimizerConfig, optimizerStep, parseOptimizer, stateNames } from "./optimizers.ts";

const SIZE = 5;
const STEPS = 6;

/** The textbook update in double precision, one vector element at a time. */
function reference(
  config: OptimizerConfig,
  start: readonly number[],
  gradients: readonly (readonly number[])[],
  rates: readonly number[],
): number[] {
  return start.map((initial, i) => {
    let w = initial;
    let velocity = 0;
    let m = 0;
    let s = 0;
    gradients.forEach((step, index) => {
      const rate = rates[index] as number;
      let g = step[i] as number;
      if (config.id === "sgd") {
        g += config.weightDecay * w;
        velocity = config.momentum * velocity + g;
        w -= rate * (config.nesterov ? g + config.momentum * velocity : velocity);
        return;
      }
      if (config.id === "adam") g += config.weightDecay * w;
      else w -= rate * config.weightDecay * w;
      m = config.beta1 * m + (1 - config.beta1) * g;
      s = config.beta2 * s + (1 - config.beta2) * g * g;
      const mHat = m / (1 - config.beta1 ** (index + 1));
      const sHat = s / (1 - config.beta2 ** (index + 1));
      w -= (rate * mHat) / (Math.sqrt(sHat) + config.epsilon);
    });
    return w;
  });
}

async function inGraph(
  config: OptimizerConfig,
  start: readonly number[],
  gradients: readonly (readonly number[])[],
  rates: readonly number[],
): Promise<number[]> {
  const graph = new Graph(operators);
  const parameter = graph.input("w", "float32", [SIZE]);
  const gradient = graph.input("g", "float32", [SIZE]);
  const learningRate = graph.input("rate", "float32", []);
  const step = graph.input("step", "float32", []);
  const names = stateNames(config);
  const state = names.map((name) => graph.input(name, "float32", [SIZE]));
  const next = optimizerStep(config, { parameter, gradient, state, learningRate, step });
  const outputs = new Map<string, Value>([["w", next.parameter]]);
  for (const [slot, name] of names.entries()) outputs.set(`next:${name}`, next.state[slot] as Value);
  const renamed = new Map([...outputs].map(([name, value]) => [`out:${name}`, value]));
  await using program = await compileProgram(
    { inputs: [parameter, gradient, learningRate, step, ...state], outputs: renamed },
    { threads: 1, spinning: false },
  );
  let weights = Float32Array.from(start);
  let carried = names.map(() => new Float32Array(SIZE));
  for (const [index, values] of gradients.entries()) {
    const results = await program.run({
      w: weights,
      g: Float32Array.from(values),
      rate: Float32Array.of(rates[index] as number),
      step: Float32Array.of(index + 1),
      ...Object.fromEntries(names.map((name, slot) => [name, carried[slot] as Float32Array])),
    });
    weights = results["out:w"] as Float32Array<ArrayBuffer>;
    carried = names.map((name) => results[`out:next:${name}`] as Float32Array<ArrayBuffer>);
  }
  return [...weights];
}

const real = fc.double({ min: -2, max: 2, noNaN: true });
const vector = fc.array(real, { minLength: SIZE, maxLength: SIZE });
const run = fc.record({
  start: vector,
  gradients: fc.array(vector, { minLength: STEPS, maxLength: STEPS }),
  rates: fc.array(fc.double({ min: 1e-3, max: 0.3, noNaN: true }), { minLength: STEPS, maxLength: STEPS }),
});
const decay = fc.double({ min: 1e-3, max: 0.5, noNaN: true });
const beta = fc.double({ min: 0.3, max: 0.99, noNaN: true });
const epsilon = fc.double({ min: 1e-8, max: 1e-2, noNaN: true });
const adamSettings = { beta1: beta, beta2: beta, epsilon, weightDecay: decay };

describe("an optimizer's step in the graph follows the textbook over several steps", () => {
  it.each([
    [
      "sgd",
      fc.record({ id: fc.constant("sgd" as const), momentum: fc.constant(0), weightDecay: fc.constant(0) }),
    ],
    [
      "sgd with momentum",
      fc.record({ id: fc.constant("sgd" as const), momentum: beta, weightDecay: fc.constant(0) }),
    ],
    [
      "sgd with momentum and decay",
      fc.record({ id: fc.constant("sgd" as const), momentum: beta, weightDecay: decay }),
    ],
    [
      "sgd with Nesterov's momentum and decay",
      fc.record({
        id: fc.constant("sgd" as const),
        momentum: beta,
        weightDecay: decay,
        nesterov: fc.constant(true as const),
      }),
    ],
    ["adam", fc.record({ id: fc.constant("adam" as const), ...adamSettings, weightDecay: fc.constant(0) })],
    ["adam with decay in the gradient", fc.record({ id: fc.constant("adam" as const), ...adamSettings })],
    ["adamw", fc.record({ id: fc.constant("adamw" as const), ...adamSettings })],
    [
      "adamw without decay",
      fc.record({ id: fc.constant("adamw" as const), ...adamSettings, weightDecay: fc.constant(0) }),
    ],
  ] satisfies [string, fc.Arbitrary<OptimizerConfig>][])("%s", async (_name, config) => {
    await fc.assert(
      fc.asyncProperty(config, run, async (settings, { start, gradients, rates }) => {
        const expected = reference(settings, start.map(Math.fround), gradients, rates);
        const found = await inGraph(settings, start, gradients, rates);
        // Values of size 4 with six roundings, some through a quotient of small moments.
        found.forEach((value, i) => {
          expect(Math.abs(value - (expected[i] as number))).toBeLessThan(2e-4);
        });
      }),
      { numRuns: 12 },
    );
  });
});

describe("optimizer settings", () => {
  it("have the published defaults", () => {
    expect(parseOptimizer("sgd")).toEqual({ id: "sgd", momentum: 0, weightDecay: 0 });
    expect(parseOptimizer("adam")).toEqual({
      id: "adam",
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0,
    });
    expect(parseOptimizer("adamw")).toMatchObject({ id: "adamw", weightDecay: 0.01 });
  });

  it.each([
    ["an unknown name", "rmsprop"],
    ["Nesterov's momentum without one", { id: "sgd", nesterov: true }],
    ["a momentum of one", { id: "sgd", momentum: 1 }],
    ["a setting of another optimizer", { id: "sgd", beta1: 0.9 }],
    ["a negative decay", { id: "adamw", weightDecay: -1 }],
    ["an infinite epsilon", { id: "adam", epsilon: Number.POSITIVE_INFINITY }],
  ])("refuse %s", (_what, input) => {
    expect(() => parseOptimizer(input as string)).toThrowError(
      expect.objectContaining({ code: "LETHE_USAGE_OPTIMIZER", kind: "usage" }),
    );
  });

  it("decide what is kept between steps", () => {
    expect(stateNames(parseOptimizer("sgd"))).toEqual([]);
    expect(stateNames(parseOptimizer({ id: "sgd", momentum: 0.5 }))).toEqual(["momentum"]);
    expect(stateNames(parseOptimizer("adam"))).toEqual(["first-moment", "second-moment"]);
  });
});
