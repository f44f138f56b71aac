import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SimulationInput } from "../../src/federation/simulation/config.ts";
import type { SimulationOutcome } from "../../src/federation/simulation/simulate.ts";
import type { CodecConfigInput } from "../../src/history/config.ts";
import type { LetheEvent } from "../../src/kernel/events.ts";
import { distance } from "../../src/metrics/distance.ts";
import { openHistory } from "../../src/storage/sqlite/history-store.ts";
import { digestsOf, runTiny } from "./tiny-simulation.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lethe-simulation-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const run = (input: SimulationInput, options = {}): Promise<SimulationOutcome> =>
  runTiny(directory, input, options);

/** An attack that a short run of few clients feels, and that fine-tuning on these easy data heals. */
const ATTACKED: SimulationInput = {
  clients: 6,
  rounds: 12,
  local: { epochs: 2 },
  attack: { id: "backdoor", settings: { boost: 8 } },
};

describe("a simulated federation with a backdoor", () => {
  it("is trained, unlearnt and judged: the attack is in the trained model and in neither of the others", async () => {
    const events: LetheEvent[] = [];
    const outcome = await run(
      { ...ATTACKED, references: { fineTuneRounds: 0 } },
      { onEvent: (event: LetheEvent) => events.push(event) },
    );
    const { trained, unlearned, retrained } = outcome;
    expect(trained.measurement.attackSuccess).toBeGreaterThan(0.8);
    expect(unlearned.measurement.attackSuccess).toBeLessThan(0.1);
    expect(retrained?.measurement.attackSuccess).toBeLessThan(0.1);
    expect(unlearned.measurement.accuracy).toBeGreaterThan(0.95);
    expect(outcome.verdict).toMatchObject({ verdict: "pass" });
    expect(outcome.parameterDistance).toBeLessThan(1);
    expect(outcome.correctionNorm).toBeCloseTo(distance(trained.weights, unlearned.weights), 12);

    // Two epochs of two batches for each of six clients in twelve rounds.
    expect(trained).toMatchObject({ clientRounds: 72, localSteps: 288 });
    expect(unlearned).toMatchObject({ clientRounds: 0, localSteps: 0 });
    expect(retrained).toMatchObject({ clientRounds: 60, localSteps: 240 });
    expect(outcome.evidence).toMatchObject({ rounds: 12, correctedRounds: 12, leavers: 1, keptClients: 5 });
    expect(outcome.series.trained.map(({ round }) => round)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(outcome.series.retrained).toHaveLength(12);
    expect(outcome.storage.rawBytes).toBe(72 * 4 * outcome.layout.length);
    expect(outcome.population.leaverSamples.count).toBe(40);
    expect(retrained?.agreement).toBeUndefined();
    expect(unlearned.agreement).toBeGreaterThan(0.9);

    const phases = events.filter((event) => event.type === "phase");
    expect(phases.map(({ name }) => name)).toEqual([
      "training",
      "unlearning",
      "retraining without the removed clients",
      "retraining again, in other batch orders",
    ]);
    expect(phases.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    for (const { of } of phases) expect(of).toBe(4);
  });

  it("is not judged where a control cannot tell the models apart", async () => {
    const { verdict, fineTuned } = await run(ATTACKED);
    expect(fineTuned?.clientRounds).toBe(10);
    expect(verdict?.verdict).toBe("refused");
    expect(verdict?.reasons.join()).toContain("Fine-tuned by the kept clients");
  });

  it("gives the same digests in another place, and others from another seed", async () => {
    const input = { ...ATTACKED, rounds: 3 };
    const first = digestsOf(await run(input));
    const elsewhere = mkdtempSync(join(tmpdir(), "lethe-simulation-"));
    try {
      expect(digestsOf(await runTiny(elsewhere, input))).toEqual(first);
      const other = digestsOf(await runTiny(join(elsewhere, "2"), { ...input, seed: 2 }));
      for (const name of ["trained", "unlearned", "retrained", "history"] as const) {
        expect(other[name]).not.toBe(first[name]);
      }
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it("without references is not judged", async () => {
    const outcome = await run({ ...ATTACKED, rounds: 3, references: { retrain: false } });
    expect(outcome).toMatchObject({ retrained: undefined, fineTuned: undefined, verdict: undefined });
    expect(outcome.parameterDistance).toBeUndefined();
    expect(outcome.series.retrained).toEqual([]);
  });

  it("may be repaired by one short round of the kept clients", async () => {
    const outcome = await run({
      ...ATTACKED,
      unlearn: { help: "repair-round", repairSteps: 1 },
      participation: 0.5,
      references: { retrain: false },
    });
    expect(outcome.unlearned).toMatchObject({ clientRounds: 5, localSteps: 5 });
    expect(outcome.beforeRepair?.accuracy).toBeGreaterThan(0);
    expect(outcome.unlearned.measurement.accuracy).toBeGreaterThan(0.9);
  });
});

describe("a simulation stores its history", () => {
  it.each([
    ["exactly", { quantiser: "none" }],
    ["in bytes", { quantiser: "int8" }],
    ["on the integer lattice", { quantiser: "z", rate: { bitsPerParameter: 2 } }],
    ["on E8, of six clients in ten", { quantiser: "e8", storedClientFraction: 0.6 }],
    ["where it changes", { quantiser: "z", threshold: { mode: "temporal", tau: 0.9 } }],
    ["where it differs from the mean", { quantiser: "e8", threshold: { mode: "mean", tau: 0.8 } }],
  ] as [string, CodecConfigInput][])("%s", async (_how, codec) => {
    const outcome = await run({ ...ATTACKED, codec, references: { fineTuneRounds: 0 } });
    const entries = Object.values(outcome.storage.entries).reduce((sum, count) => sum + count, 0);
    expect(entries).toBe(72);
    if (codec.storedClientFraction !== undefined)
      expect(outcome.storage.entries.unsampled).toBeGreaterThan(0);
    if (codec.threshold?.mode === "temporal") expect(outcome.storage.entries.held).toBeGreaterThan(0);
    if (codec.threshold?.mode === "mean") expect(outcome.storage.entries.average).toBeGreaterThan(0);
    const history = await openHistory(join(directory, "main.db"), { readOnly: true });
    expect((await history.verify()).head).toBe(outcome.historyDigest);
    await history.close();
    expect(outcome.unlearned.measurement.attackSuccess).toBeLessThan(
      (outcome.trained.measurement.attackSuccess as number) / 2,
    );
  });

  it("in other forms beside it, each unlearnt from for itself", async () => {
    const outcome = await run({
      ...ATTACKED,
      codec: { quantiser: "none" },
      codecCurve: [{ quantiser: "none" }, { quantiser: "z", rate: { bitsPerParameter: 1 } }],
      references: { retrain: false },
    });
    const [exact, coarse] = outcome.codecCurve;
    expect(exact?.weights).toEqual(outcome.unlearned.weights);
    expect(coarse?.weights).not.toEqual(outcome.unlearned.weights);
    expect(coarse?.storedBytes).toBeLessThan((exact?.storedBytes as number) / 2);
    expect(coarse?.bitsPerParameter).toBeLessThan(exact?.bitsPerParameter as number);
  });

  it("and a form that joins later is refused, since it lacks the rounds before", async () => {
    const input = { rounds: 3, references: { retrain: false } };
    await run(input);
    await expect(run({ ...input, codecCurve: [{ quantiser: "int8" }] })).rejects.toMatchObject({
      code: "LETHE_USAGE_OTHER_HISTORY",
    });
  });

  it("and does not go on with that of other settings", async () => {
    await run({ rounds: 2, references: { retrain: false } });
    await expect(run({ rounds: 2, seed: 9 })).rejects.toMatchObject({
      code: "LETHE_USAGE_OTHER_HISTORY",
      kind: "usage",
    });
    await expect(run({ rounds: 2, codec: { quantiser: "none" } })).rejects.toMatchObject({
      code: "LETHE_USAGE_OTHER_HISTORY",
    });
  });

  it("which serves requests made later: others leave, by another method", async () => {
    const input = { ...ATTACKED, references: { retrain: false } };
    const first = await run(input);
    const second = await run({ ...input, unlearn: { clients: [2, 4], method: "medu" } });
    expect(second.trained.digest).toBe(first.trained.digest);
    expect(second.historyDigest).toBe(first.historyDigest);
    expect(second.unlearned.digest).not.toBe(first.unlearned.digest);
    expect(second.evidence.leavers).toBe(2);
  });
});

describe("a simulated federation", () => {
  it.each([
    ["of Adam clients", { local: { optimizer: { id: "adam" }, learningRate: 0.01 } }],
    [
      "of clients with momentum under a server with momentum",
      {
        local: { optimizer: { id: "sgd", momentum: 0.5 } },
        server: { momentum: 0.4, rate: 0.8 },
      },
    ],
    ["with batch normalisation", { model: "cnn-bn" }],
    ["of unlike clients of unlike sizes", { partition: "dirichlet:0.5", sizes: "spread:3" }],
    ["under a label flip", { attack: { id: "labelflip" } }],
    ["by the scalar rule", { unlearn: { method: "medu" } }],
  ] satisfies [string, SimulationInput][])(
    "%s ends with finite figures for every model",
    async (_what, input) => {
      const outcome = await run({ clients: 6, rounds: 6, attack: { id: "backdoor" }, ...input });
      for (const model of [outcome.trained, outcome.unlearned, outcome.retrained, outcome.fineTuned]) {
        expect(model?.weights.every(Number.isFinite)).toBe(true);
        const { accuracy, attackSuccess, removedClientAccuracy, membership } = model?.measurement ?? {};
        for (const share of [accuracy, attackSuccess, removedClientAccuracy, membership?.auc]) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(1);
        }
      }
      expect(outcome.retrained?.measurement.accuracy).toBeGreaterThan(0.6);
      expect(["pass", "fail", "refused"]).toContain(outcome.verdict?.verdict);
    },
  );

  it("lets an honest client go without harm, and does not call that a pass: the trained model would pass too", async () => {
    const outcome = await run({ clients: 6, rounds: 10, unlearn: { clients: [3] } });
    expect(outcome.population.attacked).toBeUndefined();
    expect(outcome.trained.measurement.attackSuccess).toBeUndefined();
    expect(outcome.unlearned.measurement.accuracy).toBeGreaterThan(0.95);
    expect(outcome.verdict?.verdict).toBe("refused");
    expect(outcome.verdict?.reasons.join()).toContain("but so is the trained one");
  });

  it("lets several go at once, attackers and honest ones", async () => {
    const outcome = await run({
      ...ATTACKED,
      clients: 8,
      attackers: [0, 1],
      attack: { id: "backdoor", settings: { boost: 8 } },
      unlearn: { clients: [0, 1, 5] },
    });
    expect([...outcome.population.leavers]).toEqual(["0", "1", "5"]);
    expect(outcome.population.leaverSamples.count).toBe(120);
    expect(outcome.retrained?.clientRounds).toBe(5 * 12);
    expect(outcome.unlearned.measurement.attackSuccess).toBeLessThan(
      outcome.trained.measurement.attackSuccess as number,
    );
  });

  it("can be retrained where a leaver was alone in a round", async () => {
    const outcome = await run({ rounds: 12, participation: 0.2, unlearn: { clients: [1], method: "medu" } });
    expect(outcome.trained.clientRounds).toBe(12);
    expect(outcome.retrained?.clientRounds).toBeLessThan(12);
  });

  it("stops when it is cancelled, and goes on later with the same digests", async () => {
    const input = { ...ATTACKED, rounds: 5, references: { retrain: false } };
    for (const step of [2, 4]) {
      const controller = new AbortController();
      const onEvent = (event: LetheEvent): void => {
        if (event.type === "step" && event.step === step) controller.abort();
      };
      await expect(run(input, { signal: controller.signal, onEvent })).rejects.toMatchObject({
        code: "LETHE_CANCELLED",
      });
    }
    const resumed = digestsOf(await run(input));
    expect(resumed).toEqual(digestsOf(await runTiny(join(directory, "whole"), input)));
  });
});

describe("a request that cannot be served is refused before the first round", () => {
  it.each([
    ["an unknown method", { unlearn: { method: "magic" } }, "LETHE_USAGE_METHOD", /kronecker-response, medu/],
    [
      "a setting it does not have",
      { unlearn: { settings: { thta: 3 } } },
      "LETHE_USAGE_CONFIG",
      /theta, rank/,
    ],
    ["a client that does not exist", { unlearn: { clients: [5] } }, "LETHE_USAGE_CLIENTS", /0 … 4/],
    ["a client named twice", { unlearn: { clients: [1, 1] } }, "LETHE_USAGE_CLIENTS", /distinct/],
    ["every client", { unlearn: { clients: [0, 1, 2, 3, 4] } }, "LETHE_USAGE_CLIENTS", /at least one client/],
    ["an unknown attack", { attack: { id: "magic" } }, "LETHE_USAGE_ATTACK", /backdoor, labelflip/],
    [
      "an attacker that does not exist",
      { attack: { id: "labelflip" }, attackers: [7] },
      "LETHE_USAGE_CLIENTS",
      /attackers/,
    ],
    ["more samples than there are", { samplesPerClient: 1000 }, "LETHE_USAGE_PARTITION", /./],
  ] satisfies [string, SimulationInput, string, RegExp][])("%s", async (_what, input, code, message) => {
    const events: LetheEvent[] = [];
    await expect(run(input, { onEvent: (event: LetheEvent) => events.push(event) })).rejects.toMatchObject({
      code,
      kind: "usage",
      message: expect.stringMatching(message),
    });
    expect(events).toEqual([]);
  });
});
