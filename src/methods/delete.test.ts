import { expect, it } from "vitest";
import { methodCase, unlearn } from "../../test/contract/method-case.ts";
import { classProbabilities } from "../../test/support/class-probabilities.ts";
import { mlp } from "../models/mlp.ts";
import { decoupledDistillation } from "./delete.ts";

const architecture = mlp([60], 4, [12]);

it("leaves the trained model's proportions among the other classes", async () => {
  const { request } = await methodCase(architecture);
  const { forget } = request;
  const settings = { epochs: 150, learningRate: 0.05, leastUtility: 0.01 };
  const { weights } = await unlearn(decoupledDistillation, request, settings);
  const before = await classProbabilities(architecture, request.weights, forget);
  const after = await classProbabilities(architecture, weights, forget);
  let apart = 0;
  for (const [row, old] of before.entries()) {
    const label = forget.labels[row] as number;
    expect(after[row]?.[label]).toBeLessThan(0.05);
    for (const [other, value] of old.entries()) {
      const wanted = other === label ? 0 : value / (1 - (old[label] as number));
      apart += Math.abs((after[row]?.[other] as number) - wanted) / before.length;
    }
  }
  expect(apart).toBeLessThan(0.1);
});
