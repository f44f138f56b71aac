import { expect, it } from "vitest";
import { keyFromSeed } from "../kernel/key.ts";
import { initialWeights } from "../models/architecture.ts";
import { createModel } from "../models/index.ts";
import { compileObjective } from "./objective.ts";
import type { ObjectiveContext } from "./objective-context.ts";
import { absoluteSum, squaredDistance, squaredNorm } from "./penalties.ts";

const model = createModel("logistic", { inputShape: [4], classes: 3 });
const weights = initialWeights(model, keyFromSeed(1));
const anchor = initialWeights(model, keyFromSeed(2));
const importance = new Map([...weights].map(([name, values]) => [name, values.map((_, i) => i % 3)]));

it.each([
  ["the sum of magnitudes", absoluteSumOf, (w: number) => Math.abs(w), (w: number) => Math.sign(w)],
  ["the squared norm", squaredNormOf, (w: number) => w * w, (w: number) => 2 * w],
  [
    "the weighted distance to an anchor",
    distanceOf,
    (w: number, a: number, f: number) => f * (w - a) ** 2,
    (w: number, a: number, f: number) => 2 * f * (w - a),
  ],
] as const)("%s has its value and its gradient over all parameters", async (_name, penalty, value, slope) => {
  await using compiled = await compileObjective(
    model,
    { objective: (context) => ({ loss: penalty(context) }), gradients: true },
    { threads: 1, spinning: false },
  );
  const feeds = penalty === distanceOf ? { anchor, importance } : {};
  const found = await compiled.evaluate(weights, feeds);
  let sum = 0;
  for (const [name, values] of weights) {
    values.forEach((w, i) => {
      const [a, f] = [anchor.get(name)?.[i] as number, importance.get(name)?.[i] as number];
      sum += value(w, a, f);
      expect(found.gradients.get(name)?.[i]).toBeCloseTo(slope(w, a, f), 5);
    });
  }
  expect(found.loss).toBeCloseTo(sum, 4);
});

function absoluteSumOf(context: ObjectiveContext) {
  return absoluteSum(context.parameters);
}

function squaredNormOf(context: ObjectiveContext) {
  return squaredNorm(context.parameters);
}

function distanceOf(context: ObjectiveContext) {
  return squaredDistance(
    context.parameters,
    context.parameterSet("anchor"),
    context.parameterSet("importance"),
  );
}
