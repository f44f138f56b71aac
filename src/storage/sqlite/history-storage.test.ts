import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  clients,
  create,
  initialWeights,
  placeForEachTest,
  updateOf,
} from "../../../test/fixtures/history.ts";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { layoutOf } from "../../kernel/layout.ts";
import { createHistory } from "./history-store.ts";

const place = placeForEachTest();

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
    const history = await createHistory(place.path, header);
    const stream = randomStream(keyFromSeed(8));
    const gaussian = (): Float32Array => Float32Array.from({ length: wide.length }, () => stream.normal());
    for (let round = 0; round < 3; round++) {
      const participants = clients.map((client) => ({ client, weight: 1, update: gaussian() }));
      await history.acceptRound({ round, participants, weights: header.initialWeights });
    }
    const report = await history.storage();
    await history.close();
    const files = readdirSync(place.directory).map(
      (file) => readFileSync(join(place.directory, file)).length,
    );
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

  it("compacts to fewer bytes and the same content", async () => {
    const history = await create(place.path);
    for (let round = 0; round < 4; round++) {
      await history.acceptRound({
        round,
        participants: clients.map((client) => ({ client, weight: 1, update: updateOf(round, client) })),
        weights: initialWeights,
        checkpoint: new Uint8Array(round === 3 ? 0 : 200_000),
      });
    }
    const before = await history.storage();
    const { head } = await history.verify();
    await history.compact();
    expect((await history.storage()).bytesOnDisk).toBeLessThan(before.bytesOnDisk - 100_000);
    expect((await history.verify()).head).toBe(head);
    await history.close();
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
