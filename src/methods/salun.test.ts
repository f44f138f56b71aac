import { expect, it } from "vitest";
import { methodCase, unlearn } from "../../test/contract/method-case.ts";
import { mlp } from "../models/mlp.ts";
import { compileMeanGradient } from "./parts/mean-gradient.ts";
import { salun } from "./salun.ts";
import { createWorkbench } from "./workbench.ts";

const architecture = mlp([10], 4, [6]);
const { request } = await methodCase(architecture);

it("moves the weights with the largest gradients on the forget samples and no others, whatever the optimizer adds", async () => {
  const optimizer = { id: "sgd", momentum: 0.9, weightDecay: 0.1 };
  const { weights, details } = await unlearn(salun, request, { density: 0.5, epochs: 2, optimizer });
  expect(details?.density).toBe(0.5);
  await using workbench = createWorkbench(request);
  const gradientOf = await compileMeanGradient(workbench, architecture, undefined);
  const gradient = await gradientOf(request.weights, request.forget);
  const sizes: { readonly size: number; readonly isMoved: boolean }[] = [];
  for (const [name, values] of gradient) {
    for (const [at, value] of values.entries()) {
      const isMoved = weights.get(name)?.[at] !== request.weights.get(name)?.[at];
      sizes.push({ size: Math.abs(value), isMoved });
    }
  }
  const moved = sizes.filter(({ isMoved }) => isMoved).map(({ size }) => size);
  const held = sizes.filter(({ isMoved }) => !isMoved).map(({ size }) => size);
  expect(moved.length / sizes.length).toBe(0.5);
  expect(Math.min(...moved)).toBeGreaterThanOrEqual(Math.max(...held));
});

it("takes the mean gradient over samples, not over minibatches", async () => {
  await using workbench = createWorkbench(request);
  const gradientOf = await compileMeanGradient(workbench, architecture, undefined);
  const { forget, weights } = request;
  const part = (from: number, to: number) =>
    gradientOf(weights, forget.subset(Array.from({ length: to - from }, (_, at) => from + at)));
  const [all, first, rest] = [
    await gradientOf(weights, forget),
    await part(0, 10),
    await part(10, forget.count),
  ];
  for (const [name, values] of all) {
    for (const [at, value] of values.entries()) {
      const mixed = 10 * (first.get(name)?.[at] ?? 0) + (forget.count - 10) * (rest.get(name)?.[at] ?? 0);
      expect(mixed / forget.count).toBeCloseTo(value, 5);
    }
  }
});
