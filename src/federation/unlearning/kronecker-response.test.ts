import { describe, expect, it } from "vitest";
import { consume } from "../../kernel/events.ts";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { layoutOf } from "../../kernel/layout.ts";
import type { LayerLayout } from "../../models/layers.ts";
import { adamCoordinates } from "./kronecker/preconditioner.ts";
import { kroneckerResponse } from "./kronecker-response.ts";
import { medu } from "./medu.ts";
import { type QuadraticFederation, quadraticFederation } from "./testing/quadratic-federation.ts";
import { recordedHistory, type WrittenRound } from "./testing/recorded-history.ts";
import { client, denseModel, PLAIN_TRAINING, requestFor, slotNamed, vectorModel } from "./testing/request.ts";

/** θ of the federation's making; every round counts for the factors. */
const EXACT = { theta: 3, factorStride: 1 };

describe("on quadratic losses the Kronecker response returns the retrained model", () => {
  it("through a dense layer, a grouped convolution, a normalisation and a loose vector", async () => {
    const federation = quadraticFederation(everyLayer(), {
      seed: 1,
      rounds: 60,
      training: { batchNormMomentum: 0.01 },
    });
    expect(await distance(federation)).toBeLessThan(1e-5);
    expect(await distance(federation, medu, {})).toBeGreaterThan(0.5);
  });

  it("under server momentum and a server rate", async () => {
    const training = { server: { momentum: 0.9, rate: 0.2 } };
    const federation = quadraticFederation(denseModel(3, 3), { seed: 2, rounds: 48, training });
    expect(await distance(federation)).toBeLessThan(1e-5);
    const plain = { ...federation, request: { ...federation.request, training: PLAIN_TRAINING } };
    expect(await distance(plain)).toBeGreaterThan(0.1);
  });

  it("for clients with momentum and several epochs, whose scale differs", async () => {
    const training = { clientMomentum: 0.9, localEpochs: 5, localSteps: 60 };
    expect(
      await distance(quadraticFederation(denseModel(3, 2), { seed: 3, rounds: 40, training })),
    ).toBeLessThan(1e-5);
  });

  it("for Adam clients, in the coordinates of their recorded second moment", async () => {
    const model = denseModel(4, 2);
    const secondMoment = Float32Array.from({ length: model.layout.length }, (_, i) => 10 ** -(i % 4));
    const federation = quadraticFederation(model, {
      seed: 4,
      rounds: 40,
      coordinates: adamCoordinates(model.layout, secondMoment),
      training: { optimizer: "adam", secondMoment },
    });
    expect(await distance(federation)).toBeLessThan(1e-5);
    const { secondMoment: _, ...training } = federation.request.training;
    const blind = { ...federation, request: { ...federation.request, training } };
    expect(await distance(blind)).toBeGreaterThan(0.1);
  });

  it("whether the leavers' deviations fit in memory or the history is decoded once more", async () => {
    const federation = quadraticFederation(denseModel(3, 2), { seed: 5, rounds: 24 });
    const inMemory = await consume(kroneckerResponse.run(federation.request, EXACT));
    const streamed = await consume(
      kroneckerResponse.run(federation.request, { ...EXACT, deviationMemoryBytes: 0 }),
    );
    expect(streamed.weights).toEqual(inMemory.weights);
    expect(streamed.evidence.recordsRead).toBe(1.5 * inMemory.evidence.recordsRead);
  });
});

describe("special cases", () => {
  const model = denseModel(4, 3);

  it("equals medu with α = 0 bit by bit when kept clients agree", async () => {
    const rounds = randomRounds(model.layout.length, 12, () => 0);
    const request = requestFor(model, recordedHistory(rounds));
    const { weights, evidence } = await consume(kroneckerResponse.run(request));
    expect(weights).toEqual((await consume(medu.run(request))).weights);
    expect(evidence.treatments[0]?.treatment).toMatch(/plain subtraction/);
  });

  it("equals medu with α = exp(−c·σ²) − 1 when all directions vary alike", async () => {
    const { layout } = model;
    const sigma = 0.02;
    // Every element in turn, up and down: the covariance is σ²·I exactly.
    const rounds = Array.from({ length: layout.length }, (_, t): WrittenRound => {
      const stream = randomStream(keyFromSeed(t));
      const update = (index: number, weight: number, element: (i: number) => number) => ({
        client: client(index),
        weight,
        update: Float32Array.from({ length: layout.length }, (_, i) => element(i)),
      });
      const swing = sigma * Math.sqrt(layout.length / 2);
      return {
        participants: [
          update(0, 0.2, () => stream.normal()),
          update(1, 0.4, (i) => (i === t ? swing : 0)),
          update(2, 0.4, (i) => (i === t ? -swing : 0)),
        ],
      };
    });
    const request = requestFor(model, recordedHistory(rounds));
    const kronecker = await consume(kroneckerResponse.run(request, EXACT));
    const alpha = Math.exp(-1500 * sigma ** 2) - 1;
    const scalar = await consume(medu.run(request, { alpha }));
    expect(relative(kronecker.weights, scalar.weights)).toBeLessThan(1e-5);
  });

  it("takes loose vectors by their diagonal and says so", async () => {
    const vector = vectorModel(6);
    const rounds = randomRounds(6, 10, (stream) => 0.01 * stream.normal());
    const { evidence } = await consume(kroneckerResponse.run(requestFor(vector, recordedHistory(rounds))));
    expect(evidence.treatments[0]).toMatchObject({
      layer: "vector",
      treatment: "diagonal of its own covariance",
    });
  });

  it("holds a leaver's nearest update where it was not recorded, exactly when the leaver never changes", async () => {
    const { length } = model.layout;
    const rounds = randomRounds(length, 12, (stream) => 0.01 * stream.normal());
    for (const { participants } of rounds) participants[0]?.update.fill(0.3);
    const sampled = rounds.map(({ participants: [leaver, ...kept] }, t): WrittenRound => {
      if (leaver === undefined || t === 4 || t === 9) return { participants: rounds[t]?.participants ?? [] };
      return { participants: kept, unrecorded: [{ client: leaver.client, weight: leaver.weight }] };
    });
    const run = (written: readonly WrittenRound[], estimator: string) =>
      consume(kroneckerResponse.run(requestFor(model, recordedHistory(written)), { estimator }));
    const complete = await run(rounds, "hold");
    expect((await run(sampled, "hold")).weights).toEqual(complete.weights);
    expect((await run(sampled, "skip")).weights).not.toEqual(complete.weights);
  });

  it("leaves running statistics as trained when their momentum is unknown, and warns", async () => {
    const federation = quadraticFederation(everyLayer(), { seed: 6, rounds: 30 });
    const { layout, finalWeights } = federation.request;
    const { weights, diagnosis } = await consume(kroneckerResponse.run(federation.request));
    const buffers = layout.parameterLength;
    expect(weights.subarray(buffers)).toEqual(finalWeights.subarray(buffers));
    expect(diagnosis.warnings.map(({ code }) => code)).toContain("UNTREATED_BUFFERS");
  });

  it("floors running variances at a tenth of the trained ones", async () => {
    const { layout, layers } = everyLayer();
    const variance = slotNamed(layout, "variance");
    const rounds = randomRounds(layout.length, 10, (stream) => 0.01 * stream.normal());
    for (const { participants } of rounds) participants[0]?.update.fill(5, variance.offset);
    const { weights, evidence } = await consume(
      kroneckerResponse.run(
        requestFor({ layout, layers }, recordedHistory(rounds), {
          finalWeights: new Float32Array(layout.length).fill(1),
          training: { ...PLAIN_TRAINING, batchNormMomentum: 0.01 },
        }),
      ),
    );
    const floored = [...weights.subarray(variance.offset, variance.offset + variance.length)];
    expect(floored).toEqual(floored.map(() => Math.fround(0.1)));
    expect(evidence.treatments.at(-1)?.details.flooredVariances).toBe(variance.length);
  });
});

/** ‖w′ − retrained‖ / ‖trained − retrained‖ of a rule. */
async function distance(
  { request, retrained, trained }: QuadraticFederation,
  rule = kroneckerResponse,
  settings: Record<string, unknown> = EXACT,
): Promise<number> {
  const { weights } = await consume(rule.run(request, settings));
  const norm = (x: ArrayLike<number>): number =>
    Math.hypot(...retrained.map((value, i) => (x[i] as number) - value));
  return norm(weights) / norm(trained);
}

function relative(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((value, i) => value - (b[i] as number))) / Math.hypot(...b);
}

/** A leaver that wanders and four kept clients that differ by `noise`. */
function randomRounds(
  length: number,
  count: number,
  noise: (stream: ReturnType<typeof randomStream>) => number,
) {
  const stream = randomStream(keyFromSeed(9));
  return Array.from({ length: count }, (): WrittenRound => {
    const common = Float32Array.from({ length }, () => stream.normal());
    return {
      participants: [0, 1, 2, 3, 4].map((i) => ({
        client: client(i),
        weight: 0.2,
        update: common.map((value) => (i === 0 ? stream.normal() : value + noise(stream))),
      })),
    };
  });
}

function everyLayer() {
  const layout = layoutOf([
    { name: "dense", shape: [2, 3], role: "parameter" },
    { name: "dense.bias", shape: [2], role: "parameter" },
    { name: "conv", shape: [4, 1, 2], role: "parameter" },
    { name: "conv.bias", shape: [4], role: "parameter" },
    { name: "scale", shape: [2], role: "parameter" },
    { name: "shift", shape: [2], role: "parameter" },
    { name: "loose", shape: [3], role: "parameter" },
    { name: "mean", shape: [2], role: "buffer" },
    { name: "variance", shape: [2], role: "buffer" },
  ]);
  const slot = (name: string) => slotNamed(layout, name);
  const layers: readonly LayerLayout[] = [
    { kind: "dense", name: "dense", weight: slot("dense"), bias: slot("dense.bias"), inputAxis: 1 },
    { kind: "conv", name: "conv", weight: slot("conv"), bias: slot("conv.bias"), group: 2 },
    {
      kind: "norm",
      name: "norm",
      scale: slot("scale"),
      shift: slot("shift"),
      runningMean: slot("mean"),
      runningVariance: slot("variance"),
    },
    { kind: "other", name: "loose", slots: [slot("loose")] },
  ];
  return { layout, layers };
}
