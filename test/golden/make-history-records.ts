import { writeFileSync } from "node:fs";
import { type QuantiserId, quantisers } from "../../src/history/quantisers/index.ts";
import { decodeUpdate, encodeUpdate } from "../../src/history/update-codec.ts";
import { digestArrays } from "../../src/kernel/digest.ts";
import { keyFromSeed } from "../../src/kernel/key.ts";
import { layoutOf } from "../../src/kernel/layout.ts";

/**
 * Writes history-records.json: records of every quantiser, support and several rates, with the digests of what they
 * decode to. To be run when a quantiser is added; the records that are there must not change.
 * Usage: node test/golden/make-history-records.ts
 */
const tensors = [
  { name: "conv", shape: [4, 2, 3, 3], role: "parameter" },
  { name: "bias", shape: [4], role: "parameter" },
  { name: "dense", shape: [12, 10], role: "parameter" },
  { name: "scale", shape: [], role: "parameter" },
  { name: "running", shape: [3], role: "buffer" },
] as const;
const layout = layoutOf(tensors);
const key = keyFromSeed(9);
const identity = { round: 70_000, client: "émile" };

const records = (Object.keys(quantisers) as QuantiserId[]).flatMap((quantiser) =>
  [0.5, 2, 7].flatMap((bits) =>
    (["all", "lines", "elements"] as const).map((support) => {
      const update = Float32Array.from({ length: layout.length }, (_, index) => value(index, support));
      const options = { quantiser, rate: { bitsPerParameter: bits }, sparse: support === "elements" };
      const { record } = encodeUpdate(update, { layout, key }, identity, options);
      const out = new Float32Array(layout.length);
      decodeUpdate(record, { layout, key }, identity, out);
      const name = `${quantiser}, ${bits} bits, ${support}`;
      return {
        name,
        record: Buffer.from(record).toString("hex"),
        decoded: digestArrays(new Map([["update", out]])),
      };
    }),
  ),
);
const made = { command: "node test/golden/make-history-records.ts", node: process.version, seed: 9 };
const file = new URL("./history-records.json", import.meta.url);
writeFileSync(
  file,
  `${JSON.stringify({ made, tensors, key: Array.from(key), ...identity, records }, null, 1)}\n`,
);

/** Integers times a power of two, equal on every machine; large and small ones, and zeros as the support wants them. */
function value(index: number, support: "all" | "lines" | "elements"): number {
  if (support === "lines" && (index % 10 === 6 || Math.floor(index / 10) % 4 === 2)) return 0;
  if (support === "elements" && (index * 37) % 10 < 7) return 0;
  return (((index * 7919) % 201) - 100) * 2 ** -12 * (index % 9 === 0 ? 16 : 1) + 2 ** -14;
}
