import { writeFileSync } from "node:fs";
import { type QuantiserId, quantisers } from "../../src/history/quantisers/index.ts";
import { rotationFrom } from "../../src/history/rotation/rotation.ts";
import { decodeUpdate, type EncodeOptions, encodeUpdate } from "../../src/history/update-codec.ts";
import { digestArrays } from "../../src/kernel/digest.ts";
import { keyFromSeed } from "../../src/kernel/key.ts";
import { layoutOf } from "../../src/kernel/layout.ts";

/**
 * Writes history-records.json: records of every quantiser, support and several rates, and of the other stages, with the
 * digests of what they decode to. To be run when a stage is added; the records that are there must not change. Those in
 * first-history-records.json were written by an earlier version and cannot be made again.
 * Usage: node test/golden/make-history-records.ts
 */
const tensors = [
  { name: "conv", shape: [4, 2, 3, 3], role: "parameter" },
  { name: "bias", shape: [4], role: "parameter" },
  { name: "dense", shape: [12, 10], role: "parameter" },
  { name: "scale", shape: [], role: "parameter" },
  { name: "running", shape: [3], role: "buffer" },
] as const;
type Support = "all" | "lines" | "elements";
const layout = layoutOf(tensors);
const key = keyFromSeed(9);
const identity = { round: 70_000, client: "émile" };
/** The records that rotated ones refer to are of this round. */
const EARLIER_ROUND = 69_999;

const records = [
  ...(Object.keys(quantisers) as QuantiserId[]).flatMap((quantiser) =>
    [0.5, 2, 7].flatMap((bitsPerParameter) =>
      (["all", "lines", "elements"] as const).map((support) =>
        made(`${quantiser}, ${bitsPerParameter} bits, ${support}`, support, {
          quantiser,
          rate: { bitsPerParameter },
        }),
      ),
    ),
  ),
  ...stagedRecords(),
].map(({ out: _, ...record }) => record);
const about = { command: "node test/golden/make-history-records.ts", node: process.version, seed: 9 };
const file = new URL("./history-records.json", import.meta.url);
writeFileSync(
  file,
  `${JSON.stringify({ made: about, tensors, key: Array.from(key), ...identity, records }, null, 1)}\n`,
);

/** Records of version 2: unshared dither, other coders, fixed rates, rotation, prediction. */
function stagedRecords() {
  const rate = { bitsPerParameter: 2 };
  const reference = made("", "all", { quantiser: "z", rate }, EARLIER_ROUND);
  const rotation = rotationFrom(reference.out, layout);
  const turned = { reference: { round: EARLIER_ROUND, rotation }, rotation: { period: 2 } };
  // Few bits of so small an update would leave nothing to predict from.
  const fine = made("", "all", { quantiser: "z", rate: { bitsPerParameter: 7 } }, EARLIER_ROUND);
  const predicted = { reference: { round: EARLIER_ROUND, update: fine.out } };
  return [
    ...(["z", "a2", "d4", "e8"] as const).map((quantiser) =>
      made(`${quantiser}, dither unshared`, "lines", { quantiser, rate, dither: "non-subtractive" }),
    ),
    ...(["z", "e8", "tcq8", "deadzone", "dq4"] as const).map((quantiser) =>
      made(`${quantiser}, rans`, "lines", { quantiser, rate, coder: "rans" }),
    ),
    ...(["z", "a2", "d4", "e8", "tcq4"] as const).map((quantiser) =>
      made(`${quantiser}, 4 bits fixed`, "all", { quantiser, rate: { fixedBits: 4 } }),
    ),
    ...(["z", "tcq8"] as const).map((quantiser) => ({
      ...made(`${quantiser}, rotated`, "lines", { quantiser, rate, ...turned }, identity.round, reference),
      earlier: { round: EARLIER_ROUND, record: reference.record },
    })),
    ...(["z", "dq4"] as const).map((quantiser) => ({
      ...made(`${quantiser}, predicted`, "lines", { quantiser, rate, ...predicted }, identity.round, fine),
      earlier: { round: EARLIER_ROUND, record: fine.record },
    })),
  ];
}

function made(
  name: string,
  support: Support,
  stages: EncodeOptions,
  round = identity.round,
  reference?: { readonly record: string },
) {
  const update = Float32Array.from({ length: layout.length }, (_, index) => value(index, support));
  const own = { ...identity, round };
  const options = { ...stages, sparse: support === "elements" };
  const { record } = encodeUpdate(update, { layout, key }, own, options);
  const out = new Float32Array(layout.length);
  decodeUpdate(
    record,
    { layout, key },
    own,
    out,
    undefined,
    () => reference && Uint8Array.from(Buffer.from(reference.record, "hex")),
  );
  const decoded = digestArrays(new Map([["update", out]]));
  return { name, record: Buffer.from(record).toString("hex"), decoded, out };
}

/** Integers times a power of two, equal on every machine; large and small ones, and zeros as the support wants them. */
function value(index: number, support: Support): number {
  if (support === "lines" && (index % 10 === 6 || Math.floor(index / 10) % 4 === 2)) return 0;
  if (support === "elements" && (index * 37) % 10 < 7) return 0;
  return (((index * 7919) % 201) - 100) * 2 ** -12 * (index % 9 === 0 ? 16 : 1) + 2 ** -14;
}
