import { expect, it } from "vitest";
import { blobs } from "../../../test/support/blobs.ts";
import { deriveKey, keyFromSeed } from "../../kernel/key.ts";
import { type Architecture, initialWeights } from "../../models/architecture.ts";
import { createModel } from "../../models/index.ts";
import { add, matmul, transpose } from "../../onnx/functions/index.ts";
import { conjugateGradient } from "../../runtime/linear-algebra/conjugate-gradient.ts";
import { addScaled, norm } from "../../runtime/linear-algebra/linear-operator.ts";
import { normalVector } from "../../runtime/linear-algebra/random-vectors.ts";
import { compileSampleGradients, compileSampleNorms } from "../per-sample/sample-gradients.ts";
import { compileCurvature } from "./curvature.ts";
import { compileEmpiricalDiagonal } from "./diagonal-fisher.ts";
import { parameterVector, vectorParameters } from "./parameter-vector.ts";

const RUNTIME = { threads: 1, spinning: false };
const KEY = keyFromSeed(6);
const CLASSES = 3;
const model = createModel("mlp:4", { inputShape: [3], classes: CLASSES });
const weights = initialWeights(model, KEY);
const samples = blobs({ count: 7, featureShape: [3], classes: CLASSES, seed: 1 });

/** Logistic regression whose weight is turned before it is used: there is no rule for its samples' gradients. */
const turned: Architecture = (() => {
  const base = createModel("logistic", { inputShape: [3], classes: CLASSES });
  return {
    ...base,
    id: "turned",
    weights: base.weights.map((spec) =>
      spec.name === "fc1.weight" ? { ...spec, shape: [CLASSES, 3] } : spec,
    ),
    forward: (input, weightOf) => ({
      logits: add(matmul(input, transpose(weightOf("fc1.weight"), [1, 0])), weightOf("fc1.bias")),
      nextBuffers: new Map(),
    }),
  };
})();

it("labels drawn from the model give the exact Fisher matrix on average, the same ones at every product", async () => {
  await using sampled = await compileCurvature(model, "sampled-fisher", RUNTIME);
  await using exact = await compileCurvature(model, "gauss-newton", RUNTIME);
  const point = { weights, samples, batchSize: 4 };
  const vector = normalVector(KEY, parameterVector(model, weights).length);
  const expected = await exact.at(point).apply(vector);
  const mean = new Float64Array(vector.length);
  let spread = 0;
  const draws = 400;
  for (let draw = 0; draw < draws; draw++) {
    const part = await sampled.at({ ...point, key: deriveKey(KEY, draw) }).apply(vector);
    addScaled(mean, part, 1 / draws);
    addScaled(part, expected, -1);
    spread += norm(part) ** 2 / draws;
  }
  // Independent draws: the mean's error is that of one draw over √draws. A bias would be far beyond it.
  const error = Math.sqrt(spread / draws);
  addScaled(mean, expected, -1);
  expect(norm(mean)).toBeLessThan(2 * error);
  expect(error).toBeLessThan(0.3 * norm(expected));
  const operator = sampled.at({ ...point, key: KEY });
  expect(await operator.apply(vector)).toEqual(await operator.apply(vector));
});

it("a damped Newton system of a network is solved to the accuracy of its products", async () => {
  await using curvature = await compileCurvature(model, "gauss-newton", RUNTIME);
  const operator = curvature.at({ weights, samples, batchSize: 7 });
  const right = normalVector(KEY, operator.size);
  const { reason, residuals, solution } = await conjugateGradient(operator, right, {
    damping: 0.1,
    tolerance: 1e-5,
    maxIterations: 60,
  });
  expect(reason).toBe("converged");
  expect(operator.gradientEvaluations()).toBe((residuals.length - 1) * samples.count * 3);
  const left = right.slice();
  addScaled(left, await operator.apply(solution), -1);
  addScaled(left, solution, -0.1);
  expect(norm(left) / norm(right)).toBeLessThan(1e-4);
});

it("an architecture without rules is taken sample by sample, with the same results", async () => {
  const plain = createModel("logistic", { inputShape: [3], classes: CLASSES });
  const own = initialWeights(plain, KEY);
  const flipped = new Map(own).set(
    "fc1.weight",
    (own.get("fc1.weight") as Float32Array).map(
      (_, at) => own.get("fc1.weight")?.[(at % 3) * CLASSES + Math.floor(at / 3)] as number,
    ),
  );
  await using one = await compileSampleNorms(turned, RUNTIME);
  await using all = await compileSampleNorms(plain, RUNTIME);
  expect([one.isBatched, all.isBatched]).toEqual([false, true]);
  const expected = await all.squaredNorms(own, samples);
  (await one.squaredNorms(flipped, samples)).forEach((value, row) => {
    expect(value).toBeCloseTo(expected[row] as number, 5);
  });
  await using single = await compileSampleGradients(turned, RUNTIME);
  await using batched = await compileSampleGradients(plain, RUNTIME);
  const features = new Float32Array(21);
  samples.gather([...samples.labels.keys()], features);
  const batch = { features, labels: BigInt64Array.from(samples.labels, BigInt) };
  const biases = (await batched.gradients(own, batch)).get("fc1.bias") as Float32Array;
  (await single.gradients(flipped, batch)).get("fc1.bias")?.forEach((value, at) => {
    expect(value).toBeCloseTo(biases[at] as number, 6);
  });
  await using diagonal = await compileEmpiricalDiagonal(turned, RUNTIME);
  await using reference = await compileEmpiricalDiagonal(plain, RUNTIME);
  const found = (await diagonal.at(flipped, samples)).diagonal.get("fc1.bias");
  const wanted = (await reference.at(own, samples)).diagonal.get("fc1.bias");
  found?.forEach((value, at) => {
    expect(value).toBeCloseTo(wanted?.[at] as number, 6);
  });
});

it("parameters and vectors are the same numbers in two forms, buffers left out", () => {
  const net = createModel("cnn-bn", { inputShape: [1, 8, 8], classes: CLASSES });
  const start = initialWeights(net, KEY);
  const vector = parameterVector(net, start);
  const back = vectorParameters(net, vector);
  expect([...back.keys()]).toEqual(
    net.weights.filter(({ role }) => role === "parameter").map(({ name }) => name),
  );
  for (const [name, values] of back) expect(values).toEqual(start.get(name));
  expect(() => vectorParameters(net, vector.subarray(1))).toThrowError(
    expect.objectContaining({ code: "LETHE_DATA_SHAPE" }),
  );
  expect(() => parameterVector(net, new Map([...start].slice(1)))).toThrowError(
    expect.objectContaining({ code: "LETHE_DATA_SHAPE" }),
  );
});

it("no samples, no key and a loss that does not fit are refused", async () => {
  await using sampled = await compileCurvature(model, "sampled-fisher", RUNTIME);
  const none = samples.subset([]);
  expect(() => sampled.at({ weights, samples: none, batchSize: 2, key: KEY })).toThrowError(
    expect.objectContaining({ code: "LETHE_DATA_EMPTY" }),
  );
  const operator = sampled.at({ weights, samples, batchSize: 2 });
  await expect(operator.apply(new Float64Array(operator.size))).rejects.toMatchObject({
    code: "LETHE_USAGE_KEY",
  });
  await using diagonal = await compileEmpiricalDiagonal(model, RUNTIME);
  await expect(diagonal.at(weights, none)).rejects.toMatchObject({ code: "LETHE_DATA_EMPTY" });
});
