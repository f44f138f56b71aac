import { expect, it } from "vitest";
import { methodCase, unlearn } from "../../test/contract/method-case.ts";
import { classProbabilities } from "../../test/support/class-probabilities.ts";
import { mlp } from "../models/mlp.ts";
import { badTeacher } from "./bad-teacher.ts";

const architecture = mlp([60], 4, [12]);
const { request } = await methodCase(architecture);

it("makes a student as unsure of the forget samples as a random network, and sure of the others", async () => {
  const settings = { epochs: 30, learningRate: 0.01, retainShare: 1 };
  const { weights } = await unlearn(badTeacher, request, settings);
  const sureness = async (model: typeof weights, samples = request.forget): Promise<number> => {
    const rows = await classProbabilities(architecture, model, samples);
    return rows.reduce((sum, row) => sum + Math.max(...row), 0) / rows.length;
  };
  expect(await sureness(request.weights)).toBeGreaterThan(0.75);
  expect(await sureness(weights)).toBeLessThan(0.55);
  expect(await sureness(weights, request.retain)).toBeGreaterThan(0.75);
});

it("learns from the share of the retain samples it is told to", async () => {
  const { forget, retain } = request;
  const { evidence } = await unlearn(badTeacher, request, { retainShare: 0.3 });
  // The guard against ruin looks at others too, without gradients.
  expect(evidence.gradientEvaluations).toBe(forget.count + Math.round(0.3 * retain.count));
});
