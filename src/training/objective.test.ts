import { describe, expect, it } from "vitest";
import { blobs } from "../../test/support/blobs.ts";
import { gradients } from "../autodiff/gradients.ts";
import { deriveKey, keyFromSeed } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { initialWeights } from "../models/architecture.ts";
import { createModel } from "../models/index.ts";
import { add, concat, mul, reduceSum, square, sub } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import { crossEntropy, klDivergence } from "./losses.ts";
import { compileObjective, compileStep } from "./objective.ts";
import type { ObjectiveContext } from "./objective-context.ts";
import type { Objective } from "./objective-graph.ts";
import { parseOptimizer } from "./optimizers.ts";
import { createTrainer } from "./trainer.ts";

const RUNTIME = { threads: 1, spinning: false };
const CLASSES = 3;
const KEY = keyFromSeed(5);
const mlp = createModel("mlp:5", { inputShape: [4], classes: CLASSES });
const start = initialWeights(mlp, KEY);

/** A batch of blobs; another seed, other samples. */
function batch(count: number, seed: number, shape: readonly number[] = [4]) {
  const samples = blobs({ count, featureShape: shape, classes: CLASSES, seed });
  const features = new Float32Array(count * samples.featureLength);
  samples.gather([...samples.labels.keys()], features);
  return { features, labels: BigInt64Array.from(samples.labels, BigInt) };
}

const lossOf = (context: ObjectiveContext, name: string): Value =>
  crossEntropy(context.forward(context.features(name)).logits, context.labels(name));
const plain = (name: string) => (context: ObjectiveContext) => ({ loss: lossOf(context, name) });

const gradientsOf = async (
  objective: (context: ObjectiveContext) => Objective,
  feeds: Parameters<Awaited<ReturnType<typeof compileObjective>>["evaluate"]>[1],
  weights: ParameterSet = start,
) => {
  await using compiled = await compileObjective(mlp, { objective, gradients: true }, RUNTIME);
  return await compiled.evaluate(weights, feeds);
};

function expectClose(actual: ParameterSet, expected: (name: string, index: number) => number): void {
  for (const [name, values] of actual) {
    values.forEach((value, index) => {
      expect(value, `${name}[${index}]`).toBeCloseTo(expected(name, index), 5);
    });
  }
}

const at = (set: ParameterSet, name: string, index: number): number => set.get(name)?.[index] as number;

describe("an objective over several batches", () => {
  it("has the gradient of its parts, each batch with its own size and a scalar that is fed", async () => {
    const [forget, retain] = [batch(4, 1), batch(7, 2)];
    const both = await gradientsOf(
      (context) => ({
        loss: sub(lossOf(context, "retain"), mul(lossOf(context, "forget"), context.scalar("weight"))),
      }),
      { forget, retain, weight: 0.3 },
    );
    const f = await gradientsOf(plain("forget"), { forget });
    const r = await gradientsOf(plain("retain"), { retain });
    expect(both.loss).toBeCloseTo(r.loss - 0.3 * f.loss, 5);
    expectClose(both.gradients, (name, i) => at(r.gradients, name, i) - 0.3 * at(f.gradients, name, i));
  });

  it("counts a sample for every backward pass, a teacher's pass not", async () => {
    const [forget, retain] = [batch(4, 1), batch(7, 2)];
    const objective = (context: ObjectiveContext): Objective => {
      const features = context.features("retain");
      const teacher = context.forward(features, {
        mode: "inference",
        weights: context.weightSet("teacher"),
      }).logits;
      const joined = concat([context.features("forget"), features], 0);
      return {
        loss: add(
          klDivergence(teacher, context.forward(features).logits),
          reduceSum(square(context.forward(joined).logits)),
        ),
        backwardPasses: 2,
      };
    };
    const feeds = {
      forget: { features: forget.features },
      retain: { features: retain.features },
      teacher: start,
    };
    expect((await gradientsOf(objective, feeds)).gradientEvaluations).toBe(2 * (7 + 11));
    await using value = await compileObjective(mlp, { objective }, RUNTIME);
    // Without the pass for the parameters the one in the loss is left.
    expect(await value.evaluate(start, feeds)).toMatchObject({ gradientEvaluations: 7 + 11 });
  });

  it("gives back what it names, and equal scores of student and teacher no divergence", async () => {
    const retain = batch(3, 2);
    const { outputs, loss } = await gradientsOf(
      (context) => {
        const features = context.features("retain");
        const { logits } = context.forward(features);
        const teacher = context.forward(features, { weights: context.weightSet("teacher") }).logits;
        return { loss: klDivergence(teacher, logits), outputs: { difference: sub(logits, teacher) } };
      },
      { retain: { features: retain.features }, teacher: start },
    );
    expect(loss).toBeCloseTo(0, 6);
    expect([...(outputs.difference as Float32Array)]).toEqual(new Array(9).fill(0));
  });

  it("differentiates through a virtual step", async () => {
    const [forget, retain] = [batch(4, 1), batch(7, 2)];
    const rate = 0.2;
    const objective = (context: ObjectiveContext): Objective => {
      const names = [...context.parameters.keys()];
      const inner = gradients(lossOf(context, "forget"), [...context.parameters.values()]);
      const moved = new Map(
        names.map((name, i) => [name, sub(context.weights.get(name) as Value, mul(inner[i] as Value, rate))]),
      );
      const { logits } = context.forward(context.features("retain"), { weights: moved });
      return { loss: crossEntropy(logits, context.labels("retain")) };
    };
    const meta = await gradientsOf(objective, { forget, retain });
    const step = 1e-2;
    for (const [name, index] of [
      ["fc1.weight", 3],
      ["fc2.weight", 7],
      ["fc2.bias", 1],
    ] as const) {
      const shifted = (by: number): ParameterSet =>
        new Map(start).set(name, start.get(name)?.with(index, at(start, name, index) + by) as Float32Array);
      const up = (await gradientsOf(objective, { forget, retain }, shifted(step))).loss;
      const down = (await gradientsOf(objective, { forget, retain }, shifted(-step))).loss;
      expect((up - down) / (2 * step)).toBeCloseTo(at(meta.gradients, name, index), 2);
    }
  });
});

describe("a step on an objective", () => {
  const optimizer = parseOptimizer({ id: "sgd", momentum: 0.8 });

  it("is the trainer's where the objective is its loss", async () => {
    const data = batch(6, 1);
    await using trainer = await createTrainer(mlp, optimizer, RUNTIME);
    await using compiled = await compileStep(mlp, { objective: plain("data"), optimizer }, RUNTIME);
    let a = trainer.start(start);
    let b = compiled.start(start);
    for (let step = 0; step < 3; step++) {
      a = (await trainer.step(a, data.features, data.labels, 0.1)).state;
      b = (await compiled.step(b, { data }, 0.1)).state;
    }
    expect(b).toEqual(a);
  });

  it("leaves what is not trained as it is, without optimizer state", async () => {
    await using compiled = await compileStep(
      mlp,
      { objective: plain("data"), optimizer, trained: (name) => name.startsWith("fc2") },
      RUNTIME,
    );
    const state = compiled.start(start);
    expect([...state.optimizer.keys()]).toEqual(["momentum:fc2.weight", "momentum:fc2.bias"]);
    const { state: next } = await compiled.step(state, { data: batch(6, 1) }, 0.1);
    expect(next.weights.get("fc1.weight")).toBe(start.get("fc1.weight"));
    expect(next.weights.get("fc2.weight")).not.toEqual(start.get("fc2.weight"));
  });

  it("uses the gradients and gives the weights that the transforms make", async () => {
    const double = (values: ReadonlyMap<string, Value>) =>
      new Map([...values].map(([name, value]) => [name, mul(value, 2)]));
    const masked = (values: ReadonlyMap<string, Value>, context: ObjectiveContext) => {
      const mask = context.parameterSet("mask");
      return new Map([...values].map(([name, value]) => [name, mul(value, mask.get(name) as Value)]));
    };
    const mask = new Map([...start].map(([name, values]) => [name, values.map((_, i) => i % 2)]));
    const options = { objective: plain("data"), optimizer: parseOptimizer("sgd") };
    await using bare = await compileStep(mlp, options, RUNTIME);
    await using compiled = await compileStep(
      mlp,
      { ...options, transformGradients: double, transformWeights: masked },
      RUNTIME,
    );
    const data = batch(6, 1);
    const reference = (await bare.step(bare.start(start), { data }, 0.2)).state.weights;
    const { state } = await compiled.step(compiled.start(start), { data, mask }, 0.1);
    expectClose(state.weights, (name, i) => (i % 2) * at(reference, name, i));
  });

  it("moves running statistics by the passes that are said to, in their order", async () => {
    const shape = [1, 8, 8];
    const net = createModel("cnn-bn", { inputShape: shape, classes: CLASSES });
    const weights = initialWeights(net, KEY);
    const [first, second] = [batch(5, 1, shape), batch(6, 2, shape)];
    /** The weights after a step at rate zero: what a pass sees of the one before it are its statistics alone. */
    const moved = async (
      from: ParameterSet,
      names: readonly ("first" | "second")[],
      held: readonly ("first" | "second")[] = [],
    ) => {
      const objective = (context: ObjectiveContext): Objective => {
        const losses = [...names, ...held].map((name) =>
          crossEntropy(
            context.forward(context.features(name), { updatesBuffers: names.includes(name) }).logits,
            context.labels(name),
          ),
        );
        return { loss: losses.reduce(add) };
      };
      await using compiled = await compileStep(net, { objective, optimizer }, RUNTIME);
      const feeds = Object.fromEntries(
        [...names, ...held].map((name) => [name, name === "first" ? first : second]),
      );
      return (await compiled.step(compiled.start(from), feeds, 0)).state.weights;
    };
    const one = await moved(weights, ["first"]);
    const two = await moved(one, ["second"]);
    const both = await moved(weights, ["first", "second"]);
    const onlyFirst = await moved(weights, ["first"], ["second"]);
    expect(one.get("bn1.mean")).not.toEqual(weights.get("bn1.mean"));
    for (const name of ["bn1.mean", "bn1.variance", "bn2.mean", "bn2.variance"]) {
      expect(both.get(name), name).toEqual(two.get(name));
      expect(onlyFirst.get(name), name).toEqual(one.get(name));
    }
  });
});

describe("misuse of an objective", () => {
  it.each([
    ["a feed it does not know", { data: batch(3, 1), other: 1 }],
    ["a missing feed", { data: { features: batch(3, 1).features } }],
    ["one label for three samples", { data: { ...batch(3, 1), labels: BigInt64Array.of(1n) } }],
    ["weights in place of a batch", { data: start }],
  ])("is refused: %s", async (_what, feeds) => {
    await expect(gradientsOf(plain("data"), feeds as never)).rejects.toMatchObject({
      code: "LETHE_USAGE_FEED",
      kind: "usage",
    });
  });

  it("is refused: nothing to train, a loss per sample", async () => {
    await expect(
      compileObjective(mlp, { objective: plain("data"), gradients: true, trained: () => false }, RUNTIME),
    ).rejects.toMatchObject({ code: "LETHE_USAGE_TRAINED" });
    await expect(
      gradientsOf((context) => ({ loss: context.forward(context.features("data")).logits }), {}),
    ).rejects.toMatchObject({ code: "LETHE_USAGE_LOSS_SHAPE" });
  });

  it("ends with a numeric error where the loss is no number", async () => {
    const data = batch(3, 1);
    data.features[2] = Number.NaN;
    await expect(gradientsOf(plain("data"), { data })).rejects.toMatchObject({ code: "LETHE_NUMERIC_LOSS" });
    await using compiled = await compileStep(
      mlp,
      { objective: plain("data"), optimizer: parseOptimizer("adam") },
      RUNTIME,
    );
    const state = { ...compiled.start(initialWeights(mlp, deriveKey(KEY, "other"))), step: 4 };
    await expect(compiled.step(state, { data }, 0.1)).rejects.toMatchObject({
      code: "LETHE_NUMERIC_LOSS",
      details: { step: 5 },
    });
  });
});
