import { describe, expect, it } from "vitest";
import { deriveKey, keyFromSeed, randomStream } from "../../kernel/key.ts";
import { initialWeights } from "../../models/architecture.ts";
import { createModel } from "../../models/index.ts";
import { neg } from "../../onnx/functions/index.ts";
import { compileObjective, compileStep } from "../../training/objective.ts";
import type { ObjectiveContext } from "../../training/objective-context.ts";
import { parseOptimizer } from "../../training/optimizers.ts";
import { type MineCritic, mineCritic } from "./mine-critic.ts";

const RUNTIME = { threads: 1, spinning: false };
const GROUPS = 4;
const ROWS = 256;
const MEAN = "critic.running-log-mean";

/** A model whose weights are the critic's: the objective is all there is to it. */
const modelOf = (critic: MineCritic) => ({
  ...createModel("logistic", { inputShape: [1], classes: 2 }),
  weights: critic.weights,
});

const objectiveOf = (critic: MineCritic, width: number) => (context: ObjectiveContext) => {
  const nextBuffers = new Map();
  const member = (name: string) => context.tensor(`pairs:${name}`, ["pairs"], "int64");
  const information = critic.information(
    context.tensor("pairs:z", ["pairs", width]),
    member("own"),
    member("other"),
    { weightOf: (name) => context.weights.get(name) as never, nextBuffers },
  );
  return { loss: neg(information), nextBuffers };
};

/** Pairs (z, g) with z drawn by `features`, and g̃ drawn uniformly. */
function pairsOf(width: number, seed: number, features: (group: number, out: Float32Array) => void) {
  const stream = randomStream(deriveKey(keyFromSeed(seed), "pairs"));
  const groups = Array.from({ length: ROWS }, () => stream.below(GROUPS));
  const z = new Float32Array(ROWS * width);
  groups.forEach((group, row) => {
    features(group, z.subarray(row * width, (row + 1) * width));
  });
  const other = BigInt64Array.from({ length: ROWS }, () => BigInt(stream.below(GROUPS)));
  return { pairs: { z, own: BigInt64Array.from(groups, BigInt), other } };
}

/** The estimate of a trained critic, the mean over batches it was not trained on. */
async function estimateOf(
  width: number,
  steps: number,
  pairs: (seed: number) => ReturnType<typeof pairsOf>,
): Promise<number> {
  const critic = mineCritic("critic", { width, groups: GROUPS, hidden: 64 });
  const objective = objectiveOf(critic, width);
  const model = modelOf(critic);
  const optimizer = parseOptimizer({ id: "sgd", momentum: 0.9 });
  await using step = await compileStep(model, { optimizer, objective }, RUNTIME);
  let state = step.start(initialWeights(model, keyFromSeed(1)));
  for (let index = 0; index < steps; index++) state = (await step.step(state, pairs(index), 0.05)).state;
  await using gauge = await compileObjective(model, { objective }, RUNTIME);
  const losses = [];
  for (let index = 0; index < 20; index++)
    losses.push((await gauge.evaluate(state.weights, pairs(steps + index))).loss);
  return -losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

describe("mineCritic", () => {
  it("finds no information between features and groups drawn apart", async () => {
    const noise = randomStream(deriveKey(keyFromSeed(2), "noise"));
    const estimate = await estimateOf(3, 100, (seed) =>
      pairsOf(3, seed, (_, out) => {
        for (let at = 0; at < out.length; at++) out[at] = noise.normal();
      }),
    );
    expect(Math.abs(estimate)).toBeLessThan(0.05);
  });

  it("finds nearly all of log 4 where the features are the group", async () => {
    const estimate = await estimateOf(GROUPS, 400, (seed) =>
      pairsOf(GROUPS, seed, (group, out) => {
        out[group] = 1;
      }),
    );
    expect(Math.abs(estimate - Math.log(GROUPS))).toBeLessThan(0.2);
  });

  describe("the gradient", () => {
    const critic = mineCritic("critic", { width: 2, groups: GROUPS, hidden: 8 });
    const model = modelOf(critic);
    const objective = objectiveOf(critic, 2);
    const start = initialWeights(model, keyFromSeed(6));
    const stream = randomStream(deriveKey(keyFromSeed(7), "z"));
    const feeds = pairsOf(2, 3, (_, out) => {
      out.set([stream.normal(), stream.normal()]);
    });

    it("is that of the estimate itself while the running mean is the batch's own", async () => {
      await using compiled = await compileObjective(model, { objective, gradients: true }, RUNTIME);
      const { gradients } = await compiled.evaluate(start, feeds);
      // Central differences, wide enough for float32 and narrow enough for the kinks of ReLU.
      const width = 1e-2;
      for (const name of ["critic.output.weight", "critic.output.bias"]) {
        const values = start.get(name) as Float32Array;
        for (const at of values.keys()) {
          const moved = async (by: number): Promise<number> => {
            const other = new Map(start).set(
              name,
              values.map((value, index) => (index === at ? value + by : value)),
            );
            return (await compiled.evaluate(other, feeds)).loss;
          };
          const slope = ((await moved(width)) - (await moved(-width))) / (2 * width);
          expect(gradients.get(name)?.[at], `${name}[${at}]`).toBeCloseTo(slope, 3);
        }
      }
    });

    it("has its log term scaled by e/m otherwise, and moves m by a hundredth", async () => {
      await using compiled = await compileObjective(model, { objective, gradients: true }, RUNTIME);
      const slopesAt = async (logMean: number) => {
        const weights = new Map(start).set(MEAN, Float32Array.of(logMean));
        // The output's bias adds to every T: its slope is −1 of the joint term, and e/m of the log term.
        const { gradients, loss } = await compiled.evaluate(weights, feeds);
        return { slope: gradients.get("critic.output.bias")?.[0] as number, loss };
      };
      const step = await compileStep(model, { objective, optimizer: parseOptimizer("sgd") }, RUNTIME);
      const first = await step.step(step.start(start), feeds, 0);
      const logE = first.state.weights.get(MEAN)?.[0] as number;
      const m = 3 * Math.exp(logE);
      const { state } = await step.step(
        { ...first.state, weights: new Map(start).set(MEAN, Float32Array.of(Math.log(m))) },
        feeds,
        0,
      );
      await step[Symbol.asyncDispose]();
      const next = 0.01 * Math.exp(logE) + 0.99 * m;
      expect(state.weights.get(MEAN)?.[0]).toBeCloseTo(Math.log(next), 5);
      const { slope, loss } = await slopesAt(Math.log(m));
      expect(slope).toBeCloseTo(-1 + Math.exp(logE) / next, 5);
      expect(loss).toBeCloseTo(first.loss, 6);
    });
  });

  it("stays finite where exp of the critic is none of float32", async () => {
    const critic = mineCritic("critic", { width: 1, groups: GROUPS, hidden: 4 });
    const model = modelOf(critic);
    await using step = await compileStep(
      model,
      { objective: objectiveOf(critic, 1), optimizer: parseOptimizer("sgd") },
      RUNTIME,
    );
    const start = initialWeights(model, keyFromSeed(1));
    const large = new Map(start).set("critic.output.bias", Float32Array.of(500));
    const feeds = pairsOf(1, 1, (group, out) => out.fill(group));
    const { state, loss } = await step.step(step.start(large), feeds, 0.1);
    expect(Number.isFinite(loss)).toBe(true);
    for (const values of state.weights.values()) expect(values.every(Number.isFinite)).toBe(true);
  });
});
