import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blobs } from "../../test/support/blobs.ts";
import type { Samples } from "../data/dataset.ts";
import { samplesOf } from "../data/samples.ts";
import { digestArrays } from "../kernel/digest.ts";
import { consume, type LetheEvent } from "../kernel/events.ts";
import { keyFromSeed } from "../kernel/key.ts";
import { flatten, unflatten } from "../kernel/parameters.ts";
import { initialWeights, layoutOfArchitecture } from "../models/architecture.ts";
import { createModel } from "../models/index.ts";
import { parseOptimizer } from "../training/optimizers.ts";
import { createTrainer, type Trainer } from "../training/trainer.ts";
import { applyMean, type ServerState, weightedMean } from "./aggregation.ts";
import { localTrainingSchema, trainLocally } from "./local-training.ts";
import { type FinishedRound, type RoundsOptions, runRounds, type SimulatedClient } from "./rounds.ts";

const SHAPE = [5];
const CLASSES = 3;
const KEY = keyFromSeed(4);
const model = createModel("mlp:4", { inputShape: SHAPE, classes: CLASSES });
const layout = layoutOfArchitecture(model);
const start: ServerState = {
  weights: flatten(layout, initialWeights(model, KEY)),
  velocity: new Float32Array(layout.length),
};
const local = localTrainingSchema.parse({ epochs: 2, batchSize: 4, learningRate: 0.1 });
const clients: readonly SimulatedClient[] = [0, 1, 2, 3, 4].map((index) => ({
  id: `c${index}`,
  samples: blobs({ count: 6 + index, featureShape: SHAPE, classes: CLASSES, seed: 10 + index }),
}));

let trainer: Trainer;
beforeAll(async () => {
  trainer = await createTrainer(model, parseOptimizer("sgd"), { threads: 1, spinning: false });
});
afterAll(() => trainer[Symbol.asyncDispose]());

interface Told {
  readonly state: ServerState;
  readonly rounds: readonly FinishedRound[];
  readonly events: readonly LetheEvent[];
}

async function run(changes: Partial<RoundsOptions> = {}, from: ServerState = start): Promise<Told> {
  const rounds: FinishedRound[] = [];
  const events: LetheEvent[] = [];
  const options: RoundsOptions = {
    trainer,
    layout,
    clients,
    local,
    from: 0,
    to: 3,
    participation: 1,
    weighting: "samples",
    server: { momentum: 0, rate: 1 },
    key: KEY,
    onRound: (round) => void rounds.push(round),
    ...changes,
  };
  const state = await consume(runRounds(from, options), (event) => events.push(event));
  return { state, rounds, events };
}

const names = ({ contributions }: FinishedRound): string[] => contributions.map(({ client }) => client);
const digest = ({ weights, velocity }: ServerState): string =>
  digestArrays(
    new Map([
      ["weights", weights],
      ["velocity", velocity],
    ]),
  );
const without = (id: string, change: Partial<SimulatedClient>): readonly SimulatedClient[] =>
  clients.map((client) => (client.id === id ? { ...client, ...change } : client));

/** Samples one of which holds a NaN. */
function spoilt(count: number): Samples {
  const values = new Float32Array(count * 5).fill(0.3);
  values[7] = Number.NaN;
  return samplesOf({
    idPrefix: "spoilt",
    featureShape: SHAPE,
    features: { values },
    labels: Int32Array.from({ length: count }, (_, row) => row % CLASSES),
    classCount: CLASSES,
  });
}

describe("a round", () => {
  it("moves the server by the mean of what each client alone would send, weighted by samples", async () => {
    const { rounds } = await run({ to: 1 });
    const expected = await Promise.all(
      clients.map(async ({ id, samples }) => {
        const order = { key: KEY, client: id, round: 0 };
        const { update } = await trainLocally(trainer, layout, start.weights, samples, local, order);
        return { update, weight: samples.count };
      }),
    );
    const mean = weightedMean(expected);
    expect(rounds[0]?.state).toEqual(
      applyMean(start, mean, { momentum: 0, rate: 1 }, layout.parameterLength),
    );
    expect(rounds[0]?.contributions.map(({ weight }) => weight)).toEqual([6, 7, 8, 9, 10]);
    // Two epochs of ⌈6/4⌉ … ⌈10/4⌉ steps.
    expect(rounds[0]?.localSteps).toBe(2 * (2 + 2 + 2 + 3 + 3));
    rounds[0]?.contributions.forEach(({ update }, index) => {
      expect(update).toEqual(expected[index]?.update);
      expect(update.some((value) => value !== 0)).toBe(true);
    });
  });

  it("weighs clients alike when asked, times their own factors", async () => {
    const { rounds } = await run({
      to: 1,
      weighting: "equal",
      clients: without("c1", { weightFactor: 2.5 }),
    });
    expect(rounds[0]?.contributions.map(({ weight }) => weight)).toEqual([1, 2.5, 1, 1, 1]);
    const sampled = await run({ to: 1, clients: without("c1", { weightFactor: 2.5 }) });
    expect(sampled.rounds[0]?.contributions.map(({ weight }) => weight)).toEqual([6, 17.5, 8, 9, 10]);
  });

  it("is told by a step event when it is accepted, and can be cut short by steps", async () => {
    const { events, rounds } = await run({ maxLocalSteps: 1 });
    expect(events).toEqual(
      [1, 2, 3].map((step) => ({ type: "step", step, of: 3, scalars: { clients: 5, localSteps: 5 } })),
    );
    expect(rounds.map(({ round }) => round)).toEqual([0, 1, 2]);
  });

  it("does not change the weights it starts from", async () => {
    const before = digest(start);
    await run({ server: { momentum: 0.5, rate: 0.7 } });
    expect(digest(start)).toBe(before);
  });
});

describe("a run", () => {
  it("taken up after any round ends with the same bits, server momentum included", async () => {
    const server = { momentum: 0.6, rate: 0.8 };
    const whole = await run({ server });
    expect(digest((await run({ server })).state)).toBe(digest(whole.state));
    expect(digest((await run({ server, key: keyFromSeed(5) })).state)).not.toBe(digest(whole.state));
    for (const { round, state } of whole.rounds) {
      expect(digest((await run({ server, from: round + 1 }, state)).state)).toBe(digest(whole.state));
    }
  });

  it("is cancelled before the next client trains, and the open round is not accepted", async () => {
    const controller = new AbortController();
    const accepted: number[] = [];
    const attempt = run({
      signal: controller.signal,
      onRound: ({ round }) => {
        accepted.push(round);
        if (round === 1) controller.abort();
      },
    });
    await expect(attempt).rejects.toMatchObject({ code: "LETHE_CANCELLED" });
    expect(accepted).toEqual([0, 1]);
  });
});

describe("a client that sends what cannot be used", () => {
  it.each([
    [
      "NaN",
      { distort: (update: Float32Array) => update.map((x, at) => (at === 3 ? Number.NaN : x)) },
      /NaN at position 3/,
    ],
    ["infinity", { distort: (update: Float32Array) => update.fill(Number.POSITIVE_INFINITY) }, /Infinity/],
    ["too few values", { distort: (update: Float32Array) => update.slice(1) }, /values, got/],
    [
      "too many values",
      { distort: (update: Float32Array) => new Float32Array(update.length + 1) },
      /values, got/,
    ],
    ["nothing, since its data are no numbers", { samples: spoilt(8) }, /finite loss/],
  ])("is refused with a notice, and the round goes on with the others: %s", async (_what, change, reason) => {
    const { rounds, events, state } = await run({ clients: without("c2", change) });
    expect(rounds.map(names)).toEqual([0, 1, 2].map(() => ["c0", "c1", "c3", "c4"]));
    const notices = events.filter((event) => event.type === "notice");
    expect(notices).toHaveLength(3);
    notices.forEach((notice, round) => {
      expect(notice).toMatchObject({ code: "UPDATE_REFUSED", details: { client: "c2", round } });
      expect(notice.message).toMatch(reason);
    });
    expect(digest(state)).toBe(digest((await run({ excluded: new Set(["c2"]) })).state));
  });

  it("is an error when there is nobody else", async () => {
    const broken = clients.map((client) => ({ ...client, distort: () => new Float32Array(0) }));
    const accepted: number[] = [];
    await expect(
      run({ clients: broken, onRound: ({ round }) => void accepted.push(round) }),
    ).rejects.toMatchObject({ code: "LETHE_NUMERIC_NO_UPDATES", kind: "numeric" });
    expect(accepted).toEqual([]);
  });
});

describe("clients that are left out", () => {
  it("do not change anybody else's turns and orders", async () => {
    const excluded = new Set(["c1", "c3"]);
    const settings = { participation: 0.6, to: 8 } as const;
    const everybody = await run(settings);
    const kept = await run({ ...settings, excluded });
    expect(kept.rounds.map(names)).toEqual(
      everybody.rounds.map((round) => names(round).filter((id) => !excluded.has(id))),
    );
    // The first round starts from the same weights, so the updates themselves are the same.
    for (const { client, update } of kept.rounds[0]?.contributions ?? []) {
      const same = everybody.rounds[0]?.contributions.find((other) => other.client === client);
      expect(update).toEqual(same?.update);
    }
  });

  it("leave the server as it is in a round that was theirs alone", async () => {
    const settings = { participation: 0.2, to: 12, server: { momentum: 0.5, rate: 1 } } as const;
    const everybody = await run(settings);
    const theirs = everybody.rounds.findIndex((round) => names(round).join() === "c1");
    expect(theirs).toBeGreaterThan(0);
    const { rounds } = await run({ ...settings, excluded: new Set(["c1"]) });
    expect(rounds).toHaveLength(12);
    expect(rounds[theirs]).toMatchObject({ contributions: [], localSteps: 0 });
    expect(rounds[theirs]?.state).toEqual(rounds[theirs - 1]?.state);
  });

  it("cannot be all", async () => {
    const excluded = new Set(clients.map(({ id }) => id));
    await expect(run({ excluded })).rejects.toMatchObject({ code: "LETHE_USAGE_CLIENTS", kind: "usage" });
    await expect(run({ clients: [] })).rejects.toMatchObject({ code: "LETHE_USAGE_CLIENTS" });
  });
});

describe("participation", () => {
  it("is a share of the population, at least one, each in the population's order and not always the same", async () => {
    for (const [participation, count] of [
      [1, 5],
      [0.7, 4],
      [0.4, 2],
      [0.01, 1],
    ] as const) {
      const { rounds } = await run({ participation, to: 6, maxLocalSteps: 1 });
      const order = clients.map(({ id }) => id);
      for (const round of rounds) {
        expect(names(round)).toHaveLength(count);
        expect(names(round)).toEqual(order.filter((id) => names(round).includes(id)));
      }
      if (count < 5) expect(new Set(rounds.map((round) => names(round).join())).size).toBeGreaterThan(1);
    }
  });

  it("gives every client about the same number of turns", async () => {
    const turns = new Map<string, number>();
    const { rounds } = await run({ participation: 0.4, to: 200, maxLocalSteps: 1 });
    for (const id of rounds.flatMap(names)) turns.set(id, (turns.get(id) ?? 0) + 1);
    // 200 rounds at 2 of 5: 80 each, standard deviation √(200·0.4·0.6) ≈ 7.
    for (const { id } of clients) expect(Math.abs((turns.get(id) ?? 0) - 80)).toBeLessThan(35);
  });
});

describe("local training", () => {
  it("has no Nesterov momentum, which the unlearning rules do not know", () => {
    const optimizer = { id: "sgd", momentum: 0.9 };
    expect(localTrainingSchema.safeParse({ optimizer }).success).toBe(true);
    expect(localTrainingSchema.safeParse({ optimizer: { ...optimizer, nesterov: true } }).success).toBe(
      false,
    );
  });

  const samples = clients[2]?.samples as Samples;

  it("sends the weights after minus the weights before, in an order of its own for each client and round", async () => {
    const send = (client: string, round: number) =>
      trainLocally(trainer, layout, start.weights, samples, local, { key: KEY, client, round });
    const { update, steps, squaredGradient } = await send("c2", 1);
    expect(steps).toBe(4);
    expect(squaredGradient).toBeUndefined();
    expect((await send("c2", 1)).update).toEqual(update);
    expect((await send("c2", 2)).update).not.toEqual(update);
    expect((await send("c3", 1)).update).not.toEqual(update);
  });

  it("of Adam clients reports the mean of squared gradients, corrected for its start at zero", async () => {
    const settings = localTrainingSchema.parse({
      epochs: 1,
      batchSize: samples.count,
      learningRate: 0.01,
      optimizer: { id: "adam", beta2: 0.9 },
    });
    await using adam = await createTrainer(model, settings.optimizer, { threads: 1, spinning: false });
    const order = { key: KEY, client: "c2", round: 0 };
    const { squaredGradient } = await trainLocally(adam, layout, start.weights, samples, settings, order);
    // One step over all samples: the corrected mean is the squared gradient of the whole batch, which plain descent shows.
    const descent = { ...settings, optimizer: parseOptimizer("sgd"), learningRate: 1 };
    const { update } = await trainLocally(trainer, layout, start.weights, samples, descent, order);
    expect(squaredGradient).toHaveLength(layout.parameterLength);
    squaredGradient?.forEach((value, at) => {
      expect(value).toBeCloseTo((update[at] as number) ** 2, 5);
    });
    expect(Math.max(...(squaredGradient as Float32Array))).toBeGreaterThan(1e-4);
  });

  it("with batch normalisation sends the running statistics' change as well", async () => {
    const image = { inputShape: [1, 16, 16], classes: CLASSES };
    const net = createModel("cnn-bn", image);
    const netLayout = layoutOfArchitecture(net);
    await using netTrainer = await createTrainer(net, parseOptimizer("sgd"), { threads: 1, spinning: false });
    const weights = flatten(netLayout, initialWeights(net, KEY));
    const pictures = blobs({ count: 9, featureShape: image.inputShape, classes: CLASSES, seed: 3 });
    const { update } = await trainLocally(netTrainer, netLayout, weights, pictures, local, {
      key: KEY,
      client: "a",
      round: 0,
    });
    const named = unflatten(netLayout, update);
    for (const name of ["bn1.mean", "bn1.variance", "bn2.mean", "bn2.variance"]) {
      expect(named.get(name)?.every((value) => value !== 0)).toBe(true);
    }
  });
});
