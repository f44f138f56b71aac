import { expect, it } from "vitest";
import { keyFromSeed } from "../../kernel/key.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { initialWeights } from "../../models/architecture.ts";
import { mlp } from "../../models/mlp.ts";
import { fisherNoise } from "./fisher-noise.ts";

const architecture = mlp([2], 3, [2]);
const weights = initialWeights(architecture, keyFromSeed(1));
const fisherOf = (values: Readonly<Record<string, readonly number[]>>): ParameterSet =>
  new Map(
    [...weights].map(([name, own]) => [name, Float32Array.from(values[name] ?? Array(own.length).fill(1))]),
  );

it("is α/F averaged over a unit's inputs, wider on vectors and in the last layer", () => {
  // Weights are [inputs, outputs]: the two inputs of the first unit have F = 1 and 4.
  const fisher = fisherOf({ "fc1.weight": [1, 2, 4, 2], "fc1.bias": [0.5, 1] });
  const { mean, variance } = fisherNoise(architecture, weights, fisher, { alpha: 2, forgetClasses: [] });
  expect(variance.get("fc1.weight")).toEqual(Float32Array.of(1.25, 1, 1.25, 1));
  expect(variance.get("fc1.bias")).toEqual(Float32Array.of(40, 20));
  expect(variance.get("fc2.weight")).toEqual(new Float32Array(6).fill(20));
  for (const [name, values] of mean) expect(values).toEqual(weights.get(name));
});

it("caps the variance where no sample has a gradient, lower in the last layer", () => {
  const fisher = fisherOf({ "fc1.weight": [0, 0, 0, 0], "fc2.bias": [0, 0, 0] });
  const { variance } = fisherNoise(architecture, weights, fisher, { alpha: 1, forgetClasses: [] });
  expect(variance.get("fc1.weight")).toEqual(new Float32Array(4).fill(1000));
  expect(variance.get("fc2.bias")).toEqual(new Float32Array(3).fill(1000));
});

it("draws a forgotten class's part of the last layer anew around zero", () => {
  const { mean, variance } = fisherNoise(architecture, weights, fisherOf({}), {
    alpha: 2,
    forgetClasses: [1],
  });
  const drawn = Math.fround(10 * Math.fround(1e-4));
  expect([...(variance.get("fc2.weight") ?? [])]).toEqual([20, drawn, 20, 20, drawn, 20]);
  expect(variance.get("fc2.bias")).toEqual(Float32Array.of(20, drawn, 20));
  const old = weights.get("fc2.weight") as Float32Array;
  expect([...(mean.get("fc2.weight") ?? [])]).toEqual([old[0], 0, old[2], old[3], 0, old[5]]);
});
