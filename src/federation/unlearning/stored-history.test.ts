import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { accept, clients, create, layout, placeForEachTest } from "../../../test/fixtures/history.ts";
import type { CodecConfigInput } from "../../history/config.ts";
import type { HistoryReader as Store, StoredRound } from "../../history/store.ts";
import { clientId } from "../../kernel/client-id.ts";
import type { HistoryReader, HistoryRound, HistorySelection } from "./history-reader.ts";
import { type DecodingOptions, storedHistory } from "./stored-history.ts";

const ROUNDS = 5;
const place = placeForEachTest();

async function trained(codec: CodecConfigInput = {}) {
  const history = await create(place.path, codec);
  for (let round = 0; round < ROUNDS; round++)
    await accept(history, round, clients.slice(0, 2 + (round % 2)));
  return history;
}

/** All rounds of a stream with copies of their updates. */
async function read(
  store: Store,
  options: DecodingOptions,
  selection: HistorySelection = {},
): Promise<readonly HistoryRound[]> {
  await using history = await storedHistory(store, options);
  const rounds: HistoryRound[] = [];
  for await (const round of history.read(selection)) rounds.push(copyOf(round));
  return rounds;
}

function opened(history: HistoryReader): AsyncIterator<HistoryRound> {
  return (history.read() as AsyncIterable<HistoryRound>)[Symbol.asyncIterator]();
}

function copyOf(round: HistoryRound): HistoryRound {
  return {
    ...round,
    participants: round.participants.map((one) => ({ ...one, update: one.update.slice() })),
  };
}

/** The store with every record of some clients changed in one bit. */
function damaged(store: Store, names: readonly string[]): Store {
  const change = ({ entries, ...round }: StoredRound): StoredRound => ({
    ...round,
    entries: entries.map((entry) => {
      if (entry.record === undefined || !names.includes(entry.client)) return entry;
      const record = entry.record.slice();
      record[40] = (record[40] as number) ^ 1;
      return { ...entry, record };
    }),
  });
  return {
    ...store,
    async *readEntries(selection) {
      for await (const round of store.readEntries(selection)) yield change(round);
    },
  };
}

function runningWorkers(): number {
  const { workers } = process.report.getReport() as { readonly workers: readonly unknown[] };
  return workers.length;
}

describe("a stored history", () => {
  it.each<CodecConfigInput>([
    { quantiser: "none" },
    { quantiser: "e8" },
    { storedClientFraction: 0.5 },
    { threshold: { mode: "temporal", tau: 1.2 } },
    { threshold: { mode: "mean", tau: 0.8 } },
    { threshold: { mode: "element", tau: 1 } },
    { quantiser: "tcq4", rotation: { period: 3 }, threshold: { mode: "temporal", tau: 1.3 } },
  ])("gives the same rounds, in order, from worker threads as without: %o", async (codec) => {
    const store = await trained(codec);
    const inline = await read(store, { workers: 0 });
    expect(inline.map(({ round }) => round)).toEqual([0, 1, 2, 3, 4]);
    expect(await read(store, { workers: 2 })).toEqual(inline);
    const part: HistorySelection = {
      wants: (round) => round % 2 === 1,
      clients: new Set(clients.slice(1).map(clientId)),
    };
    expect(await read(store, { workers: 1 }, part)).toEqual(await read(store, { workers: 0 }, part));
    await store.close();
  });

  it("decodes what the store itself decodes", async () => {
    const store = await trained();
    const [, , second] = await read(store, { workers: 1 });
    expect(second?.participants.map(({ client }) => client)).toEqual(["anna", "bert"]);
    for (const { client, update } of second?.participants ?? []) {
      expect(update).toEqual(await store.decode(2, client));
    }
    await store.close();
  });

  it("keeps the arrays of streams apart that are read in turns", async () => {
    const store = await trained();
    const expected = await read(store, { workers: 0 });
    await using history = await storedHistory(store, { workers: 2 });
    const streams = [opened(history), opened(history)];
    for (const round of expected) {
      const lent = await Promise.all(streams.map((stream) => stream.next()));
      for (const { value } of lent) expect(value).toEqual(round);
    }
    await store.close();
  });

  it.each([0, 2])("names the first damaged record with %i worker threads", async (workers) => {
    const store = await trained();
    const reading = read(damaged(store, ["bert", "cleo"]), { workers });
    await expect(reading).rejects.toMatchObject({
      kind: "integrity",
      code: "LETHE_INTEGRITY_RECORD",
      details: { round: 0, client: "bert" },
    });
    await store.close();
  });

  it("leaves a failure of the round ahead to the moment when that round is asked for", async () => {
    const store = await trained();
    await using history = await storedHistory(damaged(store, ["cleo"]), { workers: 2 });
    const stream = opened(history);
    expect((await stream.next()).value).toMatchObject({ round: 0 });
    await expect(stream.next()).rejects.toMatchObject({ details: { round: 1, client: "cleo" } });
    await store.close();
  });

  it("ends its worker threads when it is disposed of, also in the midst of a stream", async () => {
    const store = await trained();
    const before = runningWorkers();
    await using history = await storedHistory(store, { workers: 2 });
    for await (const { participants } of history.read()) {
      expect(participants[0]?.update).toHaveLength(layout.length);
      expect(runningWorkers()).toBe(before + 2);
      break;
    }
    await history[Symbol.asyncDispose]();
    expect(runningWorkers()).toBe(before);
    const late = opened(history);
    await expect(late.next()).rejects.toMatchObject({ code: "LETHE_INTERNAL_WORKER" });
    await store.close();
  });

  it("needs no worker threads for a history of this size", async () => {
    const store = await trained();
    const before = runningWorkers();
    await using history = await storedHistory(store);
    expect(history.rounds).toBe(ROUNDS);
    expect(runningWorkers()).toBe(before);
    await store.close();
  });

  it("keeps no process alive that forgets to dispose of it", async () => {
    await (await trained()).close();
    const outcome = runProgram(`
      const history = await storedHistory(store, { workers: 2 });
      for await (const { round } of history.read()) process.stdout.write(String(round));`);
    expect(outcome).toEqual({ stdout: "01234", stderr: "", status: 0 });
  });

  it("lets a process wait until its workers have ended", async () => {
    await (await trained()).close();
    const outcome = runProgram(`
      for (const turn of "abc") {
        await using history = await storedHistory(store, { workers: 2 });
        for await (const { round } of history.read()) {
          process.stdout.write(turn + round);
          if (round === 1) break;
        }
      }
      process.stdout.write(" end");`);
    expect(outcome).toEqual({ stdout: "a0a1b0b1c0c1 end", stderr: "", status: 0 });
  });
});

/** Runs statements in a process of their own, with the test's history open as `store`. */
function runProgram(statements: string) {
  const program = `
    const { openHistory } = await import(${JSON.stringify(urlOf("../../storage/sqlite/history-store.ts"))});
    const { storedHistory } = await import(${JSON.stringify(urlOf("./stored-history.ts"))});
    const store = await openHistory(${JSON.stringify(place.path)}, { readOnly: true });
    ${statements}`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8",
  });
  return { stdout, stderr, status };
}

function urlOf(path: string): string {
  return new URL(path, import.meta.url).href;
}
