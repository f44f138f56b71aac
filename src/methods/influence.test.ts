import { Matrix, solve } from "ml-matrix";
import { expect, it } from "vitest";
import { methodCase, unlearn } from "../../test/contract/method-case.ts";
import { batchesOf } from "../data/batches.ts";
import { deriveKey } from "../kernel/key.ts";
import { mlp } from "../models/mlp.ts";
import { parameterVector } from "../training/curvature/parameter-vector.ts";
import { influence } from "./influence.ts";
import { drawnSamples } from "./parts/drawn-samples.ts";
import { compileMeanGradient } from "./parts/mean-gradient.ts";
import { createWorkbench } from "./workbench.ts";

const architecture = mlp([40], 4, [8]);
const { request } = await methodCase(architecture);
const { weights, forget, retain } = request;

it("takes the step along the difference of the mean gradients while no curvature is known", async () => {
  const outcome = await unlearn(influence, request, { alpha: 3, samples: 1 });
  await using workbench = createWorkbench(request);
  const gradientOf = await compileMeanGradient(workbench, architecture, undefined);
  const [own, other] = [await gradientOf(weights, forget), await gradientOf(weights, retain)];
  const share = forget.count / (forget.count + retain.count);
  for (const [name, values] of own) {
    for (const [at, value] of values.entries()) {
      const step = 3 * share * (value - (other.get(name)?.[at] ?? 0));
      expect(outcome.weights.get(name)?.[at]).toBeCloseTo((weights.get(name)?.[at] ?? 0) + step, 5);
    }
  }
});

it("raises the loss of the forget samples above that of the retain samples, and counts single gradients", async () => {
  const lossOf = async (model: typeof weights, samples: typeof forget): Promise<number> => {
    await using workbench = createWorkbench(request);
    const values = await workbench.logitsOf(model, samples);
    let sum = 0;
    for (const [row, label] of samples.labels.entries()) {
      const logits = values.subarray(4 * row, 4 * row + 4);
      const total = logits.reduce((all, value) => all + Math.exp(value), 0);
      sum += Math.log(total) - (logits[label] as number);
    }
    return sum / samples.count;
  };
  const outcome = await unlearn(influence, request, { alpha: 0.5, samples: 60 });
  const rise = (await lossOf(outcome.weights, forget)) - (await lossOf(weights, forget));
  const harm = (await lossOf(outcome.weights, retain)) - (await lossOf(weights, retain));
  expect(rise).toBeGreaterThan(0.1);
  expect(rise).toBeGreaterThan(4 * harm);
  expect(outcome.evidence.gradientEvaluations).toBe(forget.count + retain.count + 60);
});

it("takes the exact step by conjugate gradients", async () => {
  const small = mlp([3], 3, []);
  const { request: tiny } = await methodCase(small, "sample");
  const settings = { solver: "conjugate-gradient", samples: 20, damping: 0.1, iterations: 50, alpha: 1 };
  const outcome = await unlearn(influence, tiny, settings);
  await using workbench = createWorkbench(tiny);
  const gradientOf = await compileMeanGradient(workbench, small, undefined);
  const flat = (tensors: typeof weights) => Matrix.columnVector(parameterVector(small, tensors));
  const difference = Matrix.sub(
    flat(await gradientOf(tiny.weights, tiny.forget)),
    flat(await gradientOf(tiny.weights, tiny.retain)),
  );
  const share = tiny.forget.count / (tiny.forget.count + tiny.retain.count);
  const drawn = drawnSamples(tiny.retain, 20, deriveKey(deriveKey(tiny.key, "influence"), "order"));
  const fisher = Matrix.eye(difference.rows).mul(0.1);
  for (const batch of batchesOf(drawn, 20)) {
    for (const gradient of await workbench.sampleGradientsOf(tiny.weights, batch)) {
      const column = Matrix.columnVector(gradient);
      fisher.add(column.mmul(column.transpose()).div(20));
    }
  }
  const exact = solve(fisher, difference.mul(share)).to1DArray();
  const step = Matrix.sub(flat(outcome.weights), flat(tiny.weights)).to1DArray();
  for (const [at, value] of exact.entries()) expect(step[at]).toBeCloseTo(value, 4);
  expect(Math.max(...exact.map(Math.abs))).toBeGreaterThan(0.01);
});
