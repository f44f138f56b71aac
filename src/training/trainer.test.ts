import { describe, expect, it } from "vitest";
import { blobs } from "../../test/support/blobs.ts";
import { keyFromSeed } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { initialWeights } from "../models/architecture.ts";
import { createModel } from "../models/index.ts";
import type { TrainerState } from "./objective.ts";
import { parseOptimizer } from "./optimizers.ts";
import { createTrainer, type TrainerOptions } from "./trainer.ts";
import { averagedWeights } from "./weight-average.ts";

const RUNTIME = { threads: 1, spinning: false };
const model = createModel("mlp:4", { inputShape: [5], classes: 3 });
const start = initialWeights(model, keyFromSeed(2));
const samples = blobs({ count: 12, featureShape: [5], classes: 3, seed: 4 });
const features = new Float32Array(12 * 5);
samples.gather(
  Array.from({ length: 12 }, (_, at) => at),
  features,
);
const labels = BigInt64Array.from(samples.labels, BigInt);
const sgd = parseOptimizer("sgd");

/** States before each of `steps` steps of rate 1 (unless said), and behind the last. */
async function run(options: TrainerOptions, steps = 1, rate = 1, from = start): Promise<TrainerState[]> {
  await using trainer = await createTrainer(model, sgd, { ...RUNTIME, ...options });
  const states = [trainer.start(from)];
  for (let step = 0; step < steps; step++) {
    states.push((await trainer.step(states.at(-1) as TrainerState, features, labels, rate)).state);
  }
  return states;
}

/** What one step takes off the weights, all in a row: the gradient it used. */
async function gradientOf(options: TrainerOptions, from: ParameterSet = start): Promise<number[]> {
  const [before, after] = (await run(options, 1, 1, from)) as [TrainerState, TrainerState];
  return [...before.weights].flatMap(([name, values]) =>
    [...values].map((value, at) => value - (after.weights.get(name)?.[at] as number)),
  );
}

const flat = (set: ParameterSet): number[] => [...set.values()].flatMap((values) => [...values]);
const norm = (values: readonly number[]): number => Math.hypot(...values);

describe("clipping", () => {
  it("shortens the whole gradient to the limit and leaves a shorter one alone", async () => {
    const plain = await gradientOf({});
    const limit = norm(plain) / 3;
    const clipped = await gradientOf({ clipping: { norm: limit } });
    expect(norm(clipped)).toBeCloseTo(limit, 5);
    clipped.forEach((value, at) => {
      expect(value).toBeCloseTo((plain[at] as number) / 3, 5);
    });
    const loose = await gradientOf({ clipping: { norm: 2 * norm(plain) } });
    loose.forEach((value, at) => {
      expect(value).toBeCloseTo(plain[at] as number, 6);
    });
  });

  it("limits every element, before the norm", async () => {
    const plain = await gradientOf({});
    const limit = Math.max(...plain.map(Math.abs)) / 4;
    const expected = plain.map((value) => Math.min(Math.max(value, -limit), limit));
    (await gradientOf({ clipping: { value: limit } })).forEach((value, at) => {
      expect(value).toBeCloseTo(expected[at] as number, 5);
    });
    const both = await gradientOf({ clipping: { value: limit, norm: norm(expected) / 2 } });
    both.forEach((value, at) => {
      expect(value).toBeCloseTo((expected[at] as number) / 2, 5);
    });
  });
});

describe("penalties", () => {
  const elsewhere: ParameterSet = new Map([...start].map(([name, w]) => [name, w.map((v) => v + 0.25)]));

  it.each([
    ["λ·sign w", { l1: 0.3 }, (w: number) => 0.3 * Math.sign(w)],
    ["λ·w", { l2: 0.3 }, (w: number) => 0.3 * w],
    ["μ·(w − w₀)", { proximal: 0.3, anchor: start }, () => 0.3 * 0.25],
  ])("add %s to the gradient", async (_what, options, slope) => {
    const plain = await gradientOf({}, elsewhere);
    const penalised = await gradientOf(options, elsewhere);
    flat(elsewhere).forEach((weight, at) => {
      expect((penalised[at] as number) - (plain[at] as number)).toBeCloseTo(slope(weight), 5);
    });
  });
});

describe("the running average of the weights", () => {
  it("weighs every step's weights by the decay, the start not at all", async () => {
    const decay = 0.6;
    const states = await run({ averaging: decay }, 4, 0.5);
    const shares = [3, 2, 1, 0].map((age) => decay ** age);
    const total = shares.reduce((sum, value) => sum + value);
    const expected = flat(start).map((_, at) =>
      states
        .slice(1)
        .reduce((sum, { weights }, s) => sum + (shares[s] as number) * (flat(weights)[at] as number), 0),
    );
    flat(averagedWeights(states.at(-1) as TrainerState, decay)).forEach((value, at) => {
      expect(value).toBeCloseTo((expected[at] as number) / total, 5);
    });
    expect(averagedWeights(states[0] as TrainerState, decay)).toBe(start);
  });

  it("does not change the training itself", async () => {
    const [, plain] = (await run({})) as [TrainerState, TrainerState];
    const [, averaged] = (await run({ averaging: 0.9 })) as [TrainerState, TrainerState];
    expect(averaged.weights).toEqual(plain.weights);
  });
});

describe("a training step is refused", () => {
  it("in mixed precision, which the CPU has not", async () => {
    await expect(createTrainer(model, sgd, { ...RUNTIME, precision: "mixed" })).rejects.toMatchObject({
      code: "LETHE_USAGE_PRECISION",
      kind: "usage",
    });
  });

  it.each([{ loss: "hinge" as const }, { loss: "label-mse" as const }, { labelSmoothing: 0.1 }])(
    "with a loss of whole samples on a language model: %o",
    async (options) => {
      const language = createModel("gpt:width=8,depth=1,heads=2", {
        inputShape: [4],
        classes: 9,
        vocabulary: 9,
      });
      await expect(createTrainer(language, sgd, { ...RUNTIME, ...options })).rejects.toMatchObject({
        code: "LETHE_USAGE_LOSS_SHAPE",
      });
    },
  );
});
