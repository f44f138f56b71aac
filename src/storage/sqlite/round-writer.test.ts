import { describe, expect, it } from "vitest";
import {
  accept,
  clients,
  collect,
  create,
  initialWeights,
  layout,
  placeForEachTest,
  updateOf,
  vector,
} from "../../../test/fixtures/history.ts";
import type { CodecConfigInput } from "../../history/config.ts";
import { keyFromSeed } from "../../kernel/key.ts";
import { createHistory } from "./history-store.ts";

const place = placeForEachTest();

const codecs: readonly CodecConfigInput[] = [
  { quantiser: "tcq4" },
  { threshold: { mode: "temporal", tau: 1.3 } },
  { threshold: { mode: "mean", tau: 0.5 } },
  { feedback: {}, rate: { bitsPerParameter: 1 } },
  { rotation: { period: 3 } },
  { retention: { mode: "hybrid", rounds: 2, alpha: -0.15 }, storedClientFraction: 0.5 },
];

describe("a round that comes update by update", () => {
  it.each(codecs)("is stored as one that comes at once, coded in worker threads too: %o", async (codec) => {
    const whole = await create(`${place.path}.whole`, codec);
    const header = { layout, codec, key: keyFromSeed(1), facts: { learningRate: 0.1 }, initialWeights };
    const streamed = await createHistory(place.path, header, { encodingWorkers: 2 });
    for (let round = 0; round < 5; round++) {
      const expected = await accept(whole, round);
      const writer = await streamed.beginRound({ round });
      // One array for all: it may be written to again.
      const update = new Float32Array(layout.length);
      const isKept = codec.threshold?.mode === "mean" || codec.retention !== undefined;
      for (const [index, client] of clients.entries()) {
        update.set(updateOf(round, client));
        const moments = updateOf(round, client).map((value) => value * value);
        await writer.add({
          client,
          weight: index + 1,
          update: isKept ? update.slice() : update,
          auxiliary: { moments },
        });
      }
      const end = { weights: vector(500 + round), metadata: { loss: 1 / (round + 1) } };
      expect(await writer.finish({ ...end, checkpoint: Uint8Array.of(round, 7) })).toEqual(expected);
    }
    expect(await collect(streamed.readRounds())).toEqual(await collect(whole.readRounds()));
    await streamed.close();
    await whole.close();
  });

  it("is not there when it was given up, or one of its updates cannot be stored", async () => {
    const history = await create(place.path);
    const writer = await history.beginRound({ round: 0 });
    await writer.add({ client: "anna", weight: 1, update: updateOf(0, "anna") });
    writer.abandon();
    const ended = { code: "LETHE_USAGE_ROUND_ENDED" };
    await expect(writer.add({ client: "bert", weight: 1, update: undefined })).rejects.toMatchObject(ended);
    await expect(writer.finish({ weights: vector(1) })).rejects.toMatchObject(ended);
    const bad = await history.beginRound({ round: 0 });
    await bad.add({ client: "anna", weight: 1, update: updateOf(0, "anna").fill(Number.NaN) });
    await expect(bad.finish({ weights: vector(1) })).rejects.toMatchObject({ code: "LETHE_NUMERIC_UPDATE" });
    expect(await history.rounds()).toEqual([]);
    await accept(history, 0);
    expect(await history.rounds()).toHaveLength(1);
    await history.close();
  });

  it("lets everything else that writes wait for its end", async () => {
    const history = await create(place.path);
    await accept(history, 0);
    const writer = await history.beginRound({ round: 1 });
    const erased = history.eraseClient("bert");
    const later = accept(history, 2, ["anna", "cleo"]);
    await writer.add({ client: "bert", weight: 1, update: updateOf(1, "bert") });
    await writer.finish({ weights: vector(1) });
    expect(await erased).toMatchObject({ client: "bert", rounds: 2 });
    expect((await later).round).toBe(2);
    await expect(history.beginRound({ round: 2 })).rejects.toMatchObject({ code: "LETHE_USAGE_ROUND_ORDER" });
    await accept(history, 3, ["anna"]);
    await history.close();
  });
});
