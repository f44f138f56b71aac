import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CodecConfigInput } from "../../history/config.ts";
import type { DecodedRound, History } from "../../history/store.ts";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { layoutOf } from "../../kernel/layout.ts";
import { createHistory, openHistory } from "./history-store.ts";

const layout = layoutOf([
  { name: "dense", shape: [60, 50], role: "parameter" },
  { name: "running", shape: [6], role: "buffer" },
]);
const initialWeights = vector(1000);
const clients = ["anna", "bert", "cleo"];
let directory = "";
let path = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lethe-history-"));
  path = join(directory, "run.history");
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function vector(seed: number): Float32Array {
  const stream = randomStream(keyFromSeed(seed));
  return Float32Array.from({ length: layout.length }, () => stream.normal());
}

function updateOf(round: number, client: string): Float32Array {
  return vector(10 * round + clients.indexOf(client));
}

function create(codec: CodecConfigInput = {}, maxBytes = 2 ** 30): Promise<History> {
  const header = { layout, codec, key: keyFromSeed(1), facts: { learningRate: 0.1 }, initialWeights };
  return createHistory(path, header, { maxBytes });
}

function accept(history: History, round: number, names: readonly string[] = clients) {
  return history.acceptRound({
    round,
    participants: names.map((client, index) => ({
      client,
      weight: index + 1,
      update: updateOf(round, client),
      auxiliary: { moments: updateOf(round, client).map((value) => value * value) },
    })),
    weights: vector(500 + round),
    metadata: { loss: 1 / (round + 1) },
    checkpoint: Uint8Array.of(round, 7),
  });
}

async function collect(rounds: AsyncGenerator<DecodedRound>): Promise<readonly DecodedRound[]> {
  const all: DecodedRound[] = [];
  for await (const round of rounds) {
    // The arrays are used again for the next round.
    const participants = round.participants.map((one) => ({ ...one, update: one.update?.slice() }));
    all.push({ ...round, participants });
  }
  return all;
}

/** Whether any file of the store holds `bytes`. */
function isOnDisk(bytes: Uint8Array): boolean {
  return readdirSync(directory).some((file) =>
    readFileSync(join(directory, file)).includes(Buffer.from(bytes)),
  );
}

describe("a history", () => {
  it("gives everything back after it was closed: header, weights, rounds, checkpoint, auxiliary means", async () => {
    const history = await create({ rate: { bitsPerParameter: 8 } });
    for (const round of [0, 1, 5]) await accept(history, round);
    await history.close();

    const reader = await openHistory(path, { readOnly: true });
    expect(reader.header).toEqual({
      layout,
      key: keyFromSeed(1),
      facts: { learningRate: 0.1 },
      initialWeights,
      codec: {
        quantiser: "z",
        rate: { bitsPerParameter: 8 },
        storedClientFraction: 1,
        threshold: { mode: "none" },
      },
    });
    const rounds = await collect(reader.readRounds());
    expect(rounds.map(({ round }) => round)).toEqual([0, 1, 5]);
    for (const { round, participants, metadata } of rounds) {
      expect(metadata).toEqual({ loss: 1 / (round + 1) });
      expect(participants.map(({ client, weight, status }) => [client, weight, status])).toEqual([
        ["anna", 1, "stored"],
        ["bert", 2, "stored"],
        ["cleo", 3, "stored"],
      ]);
      for (const { client, update } of participants) {
        const truth = updateOf(round, client);
        const error = truth.reduce((sum, value, at) => sum + (value - (update?.[at] as number)) ** 2, 0);
        expect(Math.sqrt(error / layout.length)).toBeLessThan(0.01);
        expect(await reader.decode(round, client)).toEqual(update);
      }
    }
    expect(await reader.resume()).toEqual({
      round: 5,
      weights: vector(505),
      checkpoint: Uint8Array.of(5, 7),
    });
    const moments = await reader.auxiliary("bert", "moments");
    expect(moments?.count).toBe(3);
    const exact = [0, 1, 5].reduce((sum, round) => sum + (updateOf(round, "bert")[9] as number) ** 2 / 3, 0);
    expect(Math.abs((moments?.mean[9] as number) / exact - 1)).toBeLessThan(0.01);
    expect(await reader.verify()).toMatchObject({ rounds: 3, records: 9, erased: 0 });
    await reader.close();
  });

  it("reads only the rounds and clients that are asked for", async () => {
    const history = await create();
    for (let round = 0; round < 5; round++) await accept(history, round);
    const some = await collect(history.readRounds({ from: 1, to: 3, clients: ["cleo"] }));
    expect(some.map(({ round, participants }) => [round, participants.map(({ client }) => client)])).toEqual([
      [1, ["cleo"]],
      [2, ["cleo"]],
      [3, ["cleo"]],
    ]);
    expect(await history.decode(9, "anna")).toBeUndefined();
    expect(await history.decode(1, "nobody")).toBeUndefined();
    await history.close();
  });

  it("continues after it is opened again exactly as if it had stayed open", async () => {
    const codec = { threshold: { mode: "temporal" as const, tau: 1.2 }, rate: { bitsPerParameter: 3 } };
    const digests: string[][] = [];
    for (const reopen of [false, true]) {
      let history = await create(codec);
      const seen: string[] = [];
      for (let round = 0; round < 4; round++) {
        seen.push((await accept(history, round)).digest);
        if (!reopen) continue;
        await history.close();
        history = await openHistory(path);
      }
      await history.close();
      digests.push(seen);
      rmSync(path);
    }
    expect(digests[0]).toEqual(digests[1]);
  });

  it("refuses a round out of order, wrong weights, and an update that is not finite, and stores nothing of them", async () => {
    const history = await create();
    await accept(history, 3);
    await expect(accept(history, 3)).rejects.toThrow(/above 3/);
    const weights = vector(1);
    const participants = [{ client: "anna", weight: 1, update: vector(1).fill(Number.NaN) }];
    await expect(history.acceptRound({ round: 4, participants, weights })).rejects.toThrow(/finite numbers/);
    const short = { round: 4, participants: [], weights: new Float32Array(2) };
    await expect(history.acceptRound(short)).rejects.toThrow(/finite global weights/);
    expect((await history.rounds()).map(({ round }) => round)).toEqual([3]);
    expect((await history.resume())?.round).toBe(3);
    await history.verify();
    await history.close();
  });

  it("refuses a second writer and lets readers in", async () => {
    const history = await create();
    await accept(history, 0);
    await expect(openHistory(path)).rejects.toThrow(/only writer/);
    const reader = await openHistory(path, { readOnly: true });
    await accept(history, 1);
    expect(await reader.rounds()).toHaveLength(2);
    await reader.close();
    await history.close();
    const next = await openHistory(path);
    await next.close();
  });

  it("refuses files that are no history, and an existing one on creation", async () => {
    await expect(openHistory(path)).rejects.toThrow(/readable file/);
    writeFileSync(
      path,
      "no database, and longer than the header of one would be: it has to be told apart from it.",
    );
    await expect(openHistory(path)).rejects.toThrow(/SQLite database/);
    rmSync(path);
    new DatabaseSync(path).close();
    await expect(openHistory(path)).rejects.toThrow(/update history/);
    await (await create()).close();
    await expect(create()).rejects.toThrow(/got one/);
  });

  it("loses nothing when the disk is full, and goes on when there is space", async () => {
    const history = await create({ rate: { bitsPerParameter: 8 } }, 150_000);
    let accepted = 0;
    let failure: unknown;
    while (!failure) {
      failure = await accept(history, accepted).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (!failure) accepted++;
    }
    expect(failure).toMatchObject({ code: "LETHE_TRANSIENT_DISK_FULL", kind: "transient" });
    expect(accepted).toBeGreaterThan(2);
    expect(await history.verify()).toMatchObject({ rounds: accepted, records: 3 * accepted });
    await history.close();
    const next = await openHistory(path);
    await accept(next, accepted);
    expect(await next.verify()).toMatchObject({ rounds: accepted + 1 });
    await next.close();
  });
});

describe("erasure of a client", () => {
  it("leaves no byte of its records on disk, keeps the others, and a chain that can be checked", async () => {
    const history = await create();
    const records: Uint8Array[] = [];
    for (let round = 0; round < 6; round++) {
      await accept(history, round);
      records.push((await history.record(round, "bert")) as Uint8Array);
    }
    const before = await history.verify();
    const others = await collect(history.readRounds({ clients: ["anna", "cleo"] }));
    // A piece from the middle of each record: pages cut records at their ends.
    const pieces = records.map((record) => record.subarray(300, 340));
    expect(pieces.every(isOnDisk)).toBe(true);

    expect(await history.eraseClient("bert")).toEqual({
      client: "bert",
      rounds: 6,
      recordBytes: records.reduce((sum, record) => sum + record.length, 0),
    });
    expect(pieces.some(isOnDisk)).toBe(false);
    expect(await history.verify()).toEqual({ ...before, records: 12, erased: 6 });
    expect(await collect(history.readRounds({ clients: ["anna", "cleo"] }))).toEqual(others);
    expect(await history.decode(2, "bert")).toBeUndefined();
    expect(await history.auxiliary("bert", "moments")).toBeUndefined();
    const [first] = await collect(history.readRounds());
    expect(first?.participants[1]).toEqual({
      client: "bert",
      weight: 0,
      status: "erased",
      update: undefined,
    });
    expect((await history.clients()).find(({ client }) => client === "bert")?.erased).toBe(true);
    await history.close();
    expect(pieces.some(isOnDisk)).toBe(false);
  });

  it("lets the others go on, and refuses the erased client", async () => {
    const history = await create({ threshold: { mode: "temporal", tau: 1.5 } });
    await accept(history, 0);
    await history.eraseClient("anna");
    await expect(accept(history, 1)).rejects.toThrow(/not erased/);
    await accept(history, 1, ["bert", "cleo"]);
    expect(await history.eraseClient("anna")).toMatchObject({ rounds: 0 });
    expect(await history.verify()).toMatchObject({ rounds: 2, erased: 1 });
    await expect(history.eraseClient("nobody")).rejects.toThrow(/took part/);
    await history.close();
  });

  it("is finished by the next writer when a reader kept the file busy", async () => {
    const history = await create();
    await accept(history, 0);
    const piece = ((await history.record(0, "bert")) as Uint8Array).slice(300, 340);
    await history.close();
    const setup = new DatabaseSync(path);
    // What a process that ended between recording an erasure and cleaning leaves behind.
    setup.exec("UPDATE entries SET status = 5, record = NULL, digest = 'sha256:0' WHERE id = 2");
    setup.exec("INSERT INTO cleanup (id) VALUES (1)");
    setup.close();
    await (await openHistory(path)).close();
    expect(isOnDisk(piece)).toBe(false);
  });
});

describe("verify", () => {
  const changes: readonly (readonly [string, string])[] = [
    ["a round's metadata", "UPDATE rounds SET metadata = '{\"loss\":0}' WHERE round = 1"],
    ["a weight", "UPDATE entries SET weight = 9 WHERE id = 1048578"],
    [
      "a record's place",
      "UPDATE entries SET record = (SELECT record FROM entries WHERE id = 2) WHERE id = 1048578",
    ],
    ["a missing record", "UPDATE entries SET record = NULL WHERE id = 1048578"],
    ["a missing entry", "DELETE FROM entries WHERE id = 1048578"],
    ["a missing round", "DELETE FROM rounds WHERE round = 1"],
    ["the final weights", "UPDATE state SET weights = zeroblob(length(weights))"],
    ["the checkpoint", "UPDATE state SET checkpoint = x'00'"],
    ["the initial weights", "UPDATE header SET initial_weights = zeroblob(length(initial_weights))"],
    ["the key", "UPDATE header SET key = zeroblob(32)"],
    ["an auxiliary vector", "UPDATE auxiliary SET mean = zeroblob(length(mean)) WHERE client = 2"],
    ["an unknown client", "PRAGMA foreign_keys = OFF; DELETE FROM clients WHERE ordinal = 2"],
  ];

  it.each(changes)("notices a change of %s", async (_what, sql) => {
    const history = await create();
    for (let round = 0; round < 3; round++) await accept(history, round);
    await history.close();
    const tamper = new DatabaseSync(path);
    tamper.exec(sql);
    tamper.close();
    const reader = await openHistory(path, { readOnly: true });
    await expect(reader.verify()).rejects.toMatchObject({ kind: "integrity" });
    await reader.close();
  });

  it("notices flipped bits in the file, and never reads a wrong number", async () => {
    const history = await create();
    for (let round = 0; round < 3; round++) await accept(history, round);
    const truth = await collect(history.readRounds());
    await history.close();
    const intact = readFileSync(path);
    const stream = randomStream(keyFromSeed(77));
    for (let trial = 0; trial < 60; trial++) {
      const changed = Buffer.from(intact);
      // Beyond the first page, which holds the schema only.
      const at = 1024 + stream.below(changed.length - 1024);
      changed[at] = (changed[at] as number) ^ (1 << stream.below(8));
      writeFileSync(path, changed);
      await expectTruthOrError(truth);
    }
  });
});

describe("storage", () => {
  it("counts what is on disk, and agrees with the ideal code length of the source", async () => {
    const wide = layoutOf([{ name: "dense", shape: [200, 250], role: "parameter" }]);
    const stepPerRms = 1;
    const header = {
      layout: wide,
      codec: { rate: { stepPerRms } },
      key: keyFromSeed(1),
      facts: null,
      initialWeights: new Float32Array(wide.length),
    };
    const history = await createHistory(path, header);
    const stream = randomStream(keyFromSeed(8));
    const gaussian = (): Float32Array => Float32Array.from({ length: wide.length }, () => stream.normal());
    for (let round = 0; round < 3; round++) {
      const participants = clients.map((client) => ({ client, weight: 1, update: gaussian() }));
      await history.acceptRound({ round, participants, weights: header.initialWeights });
    }
    const report = await history.storage();
    await history.close();
    const files = readdirSync(directory).map((file) => readFileSync(join(directory, file)).length);
    expect(report.bytesOnDisk).toBe(files.reduce((sum, size) => sum + size, 0));
    expect(report.entries).toMatchObject({ stored: 9, held: 0, erased: 0 });
    expect(report.rawBytes).toBe(9 * 4 * wide.length);
    const { symbolBytes, supportBytes, bufferBytes, envelopeBytes, recordBytes } = report;
    expect(symbolBytes + supportBytes + bufferBytes + envelopeBytes).toBe(recordBytes);
    const ideal = conditionalEntropy(stepPerRms);
    expect(Math.abs((8 * recordBytes) / (9 * wide.length) / ideal - 1)).toBeLessThan(0.02);
    expect(report.bitsPerParameter).toBeGreaterThan(ideal);
    // Links between pages take half a percent; the first pages of all tables, 16 KiB whatever the length.
    const updates = 9 * wide.length;
    expect(report.bitsPerParameter).toBeLessThan(1.03 * ideal + (8 * 16_384) / updates);
  });
});

/** H(⌊X/Δ + V⌋ | V) in bits for X standard normal and V uniform on [0, 1), by the midpoint rule. */
function conditionalEntropy(step: number): number {
  const points = 400;
  const reach = Math.ceil(8 / step);
  let bits = 0;
  for (let point = 0; point < points; point++) {
    const offset = (point + 0.5) / points;
    for (let index = -reach; index <= reach; index++) {
      const mass = cumulative((index + 1 - offset) * step) - cumulative((index - offset) * step);
      if (mass > 0) bits -= (mass * Math.log2(mass)) / points;
    }
  }
  return bits;
}

/** Standard normal distribution function (Abramowitz and Stegun 26.2.17, error below 1e-7). */
function cumulative(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const series =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * series;
  return x < 0 ? tail : 1 - tail;
}

async function expectTruthOrError(truth: readonly DecodedRound[]): Promise<void> {
  try {
    const reader = await openHistory(path, { readOnly: true });
    try {
      const report = await reader.verify();
      const rounds = await collect(reader.readRounds());
      expect(report.rounds).toBe(truth.length);
      expect(rounds).toEqual(truth);
    } finally {
      await reader.close();
    }
  } catch (error) {
    expect(error).toMatchObject({ name: "LetheError" });
  }
}
