import { expect, it } from "vitest";
import { methodCase, unlearn } from "../../test/contract/method-case.ts";
import { mlp } from "../models/mlp.ts";
import { boundaryShrink } from "./boundary-shrink.ts";
import { perturbedSign } from "./perturbed-sign.ts";

const { request } = await methodCase(mlp([40], 4, [8]));
/** Whole batches, so that the methods' own orders of samples do not matter. */
const settings = { epsilon: 0.3, epochs: 4, batchSize: 64, learningRate: 0.05 };

it("is perturbed sign without noise, closeness, retention and second choices", async () => {
  const shrunk = await unlearn(boundaryShrink, request, { ...settings, leastUtility: 0.01 });
  // Without retain samples nothing guards it against ruin, which is not what is compared here.
  const { retain: _, ...unguarded } = request;
  const signed = await unlearn(perturbedSign, unguarded, { ...settings, noise: 0, secondBest: false });
  for (const [name, values] of shrunk.weights) {
    for (const [at, value] of values.entries()) {
      expect(signed.weights.get(name)?.[at]).toBeCloseTo(value, 5);
    }
  }
  expect(shrunk.details?.crossedShare).toBeGreaterThan(0.5);
});

it("crosses no boundary with a step of nearly nothing, and then learns the samples' own labels", async () => {
  const { details } = await unlearn(boundaryShrink, request, { ...settings, epsilon: 1e-6, pixels: false });
  expect(details?.crossedShare).toBeLessThan(0.2);
});

it("counts the pass that looks for labels, and reads it once", async () => {
  const { evidence } = await unlearn(boundaryShrink, request, { ...settings, leastUtility: 0.01 });
  const { count } = request.forget;
  expect(evidence.gradientEvaluations).toBe(count * (1 + settings.epochs));
  expect(evidence.read.forget?.reads).toBe(count * (1 + settings.epochs));
});
