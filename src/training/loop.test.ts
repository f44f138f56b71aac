import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blobs } from "../../test/support/blobs.ts";
import type { Samples } from "../data/dataset.ts";
import { samplesOf } from "../data/samples.ts";
import { digestArrays } from "../kernel/digest.ts";
import { consume, type LetheEvent } from "../kernel/events.ts";
import { deriveKey, keyFromSeed } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { type Architecture, initialWeights } from "../models/architecture.ts";
import { createModel } from "../models/index.ts";
import { type LoopOptions, train } from "./loop.ts";
import type { TrainerState } from "./objective.ts";
import { type OptimizerConfig, parseOptimizer } from "./optimizers.ts";
import { createTrainer, type Trainer } from "./trainer.ts";

const RUNTIME = { threads: 1, spinning: false };
const KEY = keyFromSeed(7);
const FEATURES = 6;
const CLASSES = 3;
/** 25 samples in batches of 8: three whole ones and one of a single sample. */
const SAMPLES = blobs({ count: 25, featureShape: [FEATURES], classes: CLASSES, seed: 3 });
const BATCHES = 4;
const BASE = { samples: SAMPLES, epochs: 3, batchSize: 8, learningRate: 0.07, key: KEY } as const;

const model: Architecture = createModel("mlp:5", { inputShape: [FEATURES], classes: CLASSES });
const start: ParameterSet = initialWeights(model, deriveKey(KEY, "initial"));
const optimizers = {
  momentum: parseOptimizer({ id: "sgd", momentum: 0.8, weightDecay: 0.01 }),
  adam: parseOptimizer({ id: "adam", beta1: 0.7, weightDecay: 0.02 }),
  adamw: parseOptimizer("adamw"),
} as const satisfies Record<string, OptimizerConfig>;

let momentum: Trainer;
beforeAll(async () => {
  momentum = await createTrainer(model, optimizers.momentum, RUNTIME);
});
afterAll(() => momentum[Symbol.asyncDispose]());

const run = (options: Partial<LoopOptions> = {}, trainer = momentum): Promise<TrainerState> =>
  consume(train(trainer, start, { ...BASE, ...options }));
const digestOf = ({ weights, optimizer }: TrainerState): string =>
  digestArrays(new Map([...weights, ...optimizer]));

describe("the order of the samples", () => {
  it("is decided by the key: the same key gives the same bits, another key others", async () => {
    const first = digestOf(await run());
    expect(digestOf(await run())).toBe(first);
    expect(digestOf(await run({ key: keyFromSeed(8) }))).not.toBe(first);
  });

  it("is a new permutation every epoch, with every sample once and a smaller last batch", async () => {
    const seen: number[][] = [];
    const spied: Samples = {
      ...SAMPLES,
      gather: (positions, out) => {
        seen.push([...positions]);
        SAMPLES.gather(positions, out);
      },
    };
    await run({ samples: spied, epochs: 2 });
    expect(seen.map(({ length }) => length)).toEqual([8, 8, 8, 1, 8, 8, 8, 1]);
    const [first, second] = [seen.slice(0, BATCHES).flat(), seen.slice(BATCHES).flat()];
    const all = Array.from({ length: SAMPLES.count }, (_, position) => position);
    expect([...first].sort((a, b) => a - b)).toEqual(all);
    expect([...second].sort((a, b) => a - b)).toEqual(all);
    expect(second).not.toEqual(first);
    expect(first).not.toEqual(all);
  });

  it("pairs every sample with its own label", async () => {
    const batches: { features: number[]; labels: bigint[] }[] = [];
    const watching: Trainer = {
      ...momentum,
      step: (state, features, labels, rate) => {
        batches.push({ features: [...features], labels: [...(labels as BigInt64Array)] });
        return momentum.step(state, features, labels, rate);
      },
    };
    await run({ epochs: 1 }, watching);
    const known = new Map<string, bigint>();
    const row = new Float32Array(FEATURES);
    for (let position = 0; position < SAMPLES.count; position++) {
      SAMPLES.gather([position], row);
      known.set(row.join(), BigInt(SAMPLES.labels[position] as number));
    }
    for (const { features, labels } of batches) {
      expect(features).toHaveLength(labels.length * FEATURES);
      labels.forEach((label, at) => {
        expect(label).toBe(known.get(features.slice(at * FEATURES, (at + 1) * FEATURES).join()));
      });
    }
  });
});

describe("a batch", () => {
  it("is changed before the step sees it, told by epoch and positions", async () => {
    const told: string[] = [];
    const steps: number[] = [];
    const watching: Trainer = {
      ...momentum,
      step: (state, features, labels, rate) => {
        steps.push(features.length, ...new Set(features));
        return momentum.step(state, features, labels, rate);
      },
    };
    const augment: LoopOptions["augment"] = (features, positions, epoch) => {
      features.fill(epoch + 1);
      told.push(...Array.from(positions, (position) => `${epoch}:${position}`));
    };
    await run({ epochs: 2, augment }, watching);
    expect(new Set(told).size).toBe(2 * SAMPLES.count);
    expect(steps.slice(-4)).toEqual([8 * FEATURES, 2, FEATURES, 2]);
  });
});

describe("a run that is taken up again", () => {
  it.each(Object.entries(optimizers))(
    "after any epoch ends with the same bits (%s)",
    async (_name, optimizer) => {
      await using trainer = await createTrainer(model, optimizer, RUNTIME);
      const schedule = { id: "cosine", end: 0.1 } as const;
      const saved: TrainerState[] = [];
      const whole = await run({ schedule, onEpoch: (state) => void saved.push(state) }, trainer);
      expect(saved.map(({ step }) => step)).toEqual([1, 2, 3].map((epoch) => epoch * BATCHES));
      expect(new Set(saved.map(digestOf)).size).toBe(3);
      for (const resume of saved) {
        const again = await run({ schedule, resume }, trainer);
        expect(again.step).toBe(whole.step);
        expect(digestOf(again)).toBe(digestOf(whole));
      }
    },
  );

  it("in the middle of an epoch ends with the same bits too", async () => {
    const whole = await run();
    const resume = await run({ maxSteps: BATCHES + 2 });
    expect(resume.step).toBe(BATCHES + 2);
    expect(digestOf(await run({ resume }))).toBe(digestOf(whole));
  });

  it("after its last step does nothing", async () => {
    const whole = await run();
    let steps = 0;
    const counting: Trainer = {
      ...momentum,
      step: (...args) => {
        steps++;
        return momentum.step(...args);
      },
    };
    expect(digestOf(await run({ resume: whole }, counting))).toBe(digestOf(whole));
    expect(steps).toBe(0);
  });
});

describe("the length of a run", () => {
  it("is that of its epochs, or maxSteps when that is less", async () => {
    expect((await run()).step).toBe(3 * BATCHES);
    expect((await run({ maxSteps: 5 })).step).toBe(5);
    expect((await run({ maxSteps: 1000 })).step).toBe(3 * BATCHES);
  });

  it("is told in events: the last step with its loss, a checkpoint for every epoch", async () => {
    const events: LetheEvent[] = [];
    const end = await consume(train(momentum, start, { ...BASE, epochs: 7, onEpoch: () => {} }), (event) =>
      events.push(event),
    );
    const steps = events.filter((event) => event.type === "step");
    expect(steps.map(({ step, of }) => [step, of])).toEqual([
      [20, 28],
      [28, 28],
    ]);
    expect(steps.every(({ scalars }) => Number.isFinite(scalars.loss))).toBe(true);
    const checkpoints = events.filter((event) => event.type === "checkpoint");
    expect(checkpoints.map(({ step }) => step)).toEqual([4, 8, 12, 16, 20, 24, 28]);
    expect(checkpoints.at(-1)?.digest).toBe(digestArrays(end.weights));
  });

  it.each([
    ["no epochs", { epochs: 0 }],
    ["half an epoch", { epochs: 0.5 }],
    ["empty batches", { batchSize: 0 }],
    ["a batch that is no number", { batchSize: Number.NaN }],
  ])("cannot be %s", async (_what, options) => {
    await expect(run(options)).rejects.toMatchObject({ code: "LETHE_USAGE_LOOP", kind: "usage" });
  });

  it("cannot be had from no samples", async () => {
    await expect(run({ samples: SAMPLES.subset([]) })).rejects.toMatchObject({ code: "LETHE_DATA_EMPTY" });
  });
});

describe("training", () => {
  it("learns what can be learnt: the loss falls far below that of guessing, ln 3", async () => {
    const losses: number[] = [];
    await consume(
      train(momentum, start, { ...BASE, epochs: 40, learningRate: 0.1 }),
      (event) => event.type === "step" && losses.push(event.scalars.loss as number),
    );
    expect(losses.at(-1)).toBeLessThan(0.5);
  });

  it("does not change the weights and states it is given", async () => {
    const before = digestArrays(start);
    const resume = await run({ epochs: 1 });
    const saved = digestOf(resume);
    await run({ resume });
    expect(digestArrays(start)).toBe(before);
    expect(digestOf(resume)).toBe(saved);
  });

  it("lets timers, signals and requests in at every step", async () => {
    let turns = 0;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    const { step } = await run();
    clearImmediate(next);
    expect(turns).toBeGreaterThanOrEqual(step);
  });

  it("stops at the next step when it is cancelled", async () => {
    const controller = new AbortController();
    let steps = 0;
    const counting: Trainer = {
      ...momentum,
      step: (...args) => {
        if (++steps === 5) controller.abort();
        return momentum.step(...args);
      },
    };
    await expect(run({ signal: controller.signal }, counting)).rejects.toMatchObject({
      code: "LETHE_CANCELLED",
      kind: "cancelled",
    });
    expect(steps).toBe(5);
  });
});

describe("data that are no numbers", () => {
  const spoilt = (value: number, shape: readonly number[] = [FEATURES]): Samples => {
    const width = shape.reduce((product, size) => product * size, 1);
    const values = new Float32Array(10 * width).fill(0.5);
    values[7 * width + 1] = value;
    const labels = Int32Array.from({ length: 10 }, (_, row) => row % CLASSES);
    return samplesOf({
      idPrefix: "x",
      featureShape: shape,
      features: { values },
      labels,
      classCount: CLASSES,
    });
  };

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "end a perceptron's training with a numeric error: %s",
    async (value) => {
      await expect(run({ samples: spoilt(value) })).rejects.toMatchObject({
        code: "LETHE_NUMERIC_LOSS",
        kind: "numeric",
      });
    },
  );

  it.each(["logistic", "cnn", "cnn-bn", "cnn-medium"])("end the training of a %s", async (name) => {
    const shape = [1, 16, 16];
    const net = createModel(name, { inputShape: shape, classes: CLASSES });
    await using trainer = await createTrainer(net, parseOptimizer("sgd"), RUNTIME);
    const options = { ...BASE, samples: spoilt(Number.NaN, shape) };
    await expect(consume(train(trainer, initialWeights(net, KEY), options))).rejects.toMatchObject({
      code: "LETHE_NUMERIC_LOSS",
    });
  });
});

it("a learning rate that diverges ends with a numeric error that names the step", async () => {
  await expect(run({ learningRate: 1e30 })).rejects.toMatchObject({
    code: "LETHE_NUMERIC_LOSS",
    details: { step: expect.any(Number) },
  });
});
