import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32 } from "../kernel/crc32.ts";
import { digestBytes } from "../kernel/digest.ts";
import { isLetheError } from "../kernel/errors.ts";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { layoutOf, type ModelLayout } from "../kernel/layout.ts";
import { type QuantiserId, quantisers } from "./quantisers/index.ts";
import { readRecord } from "./record.ts";
import { decodeUpdate, type EncodeOptions, encodeUpdate } from "./update-codec.ts";

const layout = layoutOf([
  { name: "conv", shape: [12, 3, 3, 3], role: "parameter" },
  { name: "mean", shape: [12], role: "buffer" },
  { name: "bias", shape: [12], role: "parameter" },
  { name: "dense", shape: [40, 30], role: "parameter" },
  { name: "scale", shape: [], role: "parameter" },
]);
const frame = { layout, key: keyFromSeed(5) };
const identity = { round: 7, client: "émile" };
const ids = Object.keys(quantisers) as QuantiserId[];
const rate = { bitsPerParameter: 2 };
/** Every quantiser alone, and the other stages with some. */
const pipelines: readonly (readonly [string, EncodeOptions])[] = [
  ...ids.map((quantiser) => [quantiser, { quantiser, rate }] as const),
  ["z and rans", { quantiser: "z", rate, coder: "rans" }],
  ["e8 and rans", { quantiser: "e8", rate, coder: "rans" }],
  ["dq4 and rans", { quantiser: "dq4", rate, coder: "rans" }],
  ["d4 with its dither unshared", { quantiser: "d4", rate, dither: "non-subtractive" }],
  ["tcq8 at a fixed rate", { quantiser: "tcq8", rate: { fixedBits: 4 } }],
];

/** Scales by row and column, some rows and columns dead: what updates of networks look like. */
function realLike(of: ModelLayout, seed: number): Float32Array {
  const stream = randomStream(keyFromSeed(seed));
  const update = new Float32Array(of.length);
  for (const { offset, shape, length } of of.slots) {
    const rows = shape.length < 2 ? 1 : (shape[0] as number);
    const columns = length / rows;
    const rowScales = Array.from({ length: rows }, () =>
      stream.uniform() < 0.2 ? 0 : Math.exp(stream.normal()),
    );
    const columnScales = Array.from({ length: columns }, () =>
      stream.uniform() < 0.2 ? 0 : Math.exp(stream.normal()),
    );
    for (let index = 0; index < length; index++) {
      const row = rowScales[Math.floor(index / columns)] as number;
      update[offset + index] = 0.01 * stream.normal() * row * (columnScales[index % columns] as number);
    }
  }
  return update;
}

function decoded(record: Uint8Array): Float32Array {
  // Filled with something, to see that everything is overwritten.
  const out = new Float32Array(layout.length).fill(9);
  decodeUpdate(record, frame, identity, out);
  return out;
}

describe.each(pipelines)("a record of %s", (_name, pipeline) => {
  const update = realLike(layout, 1);
  const { record } = encodeUpdate(update, frame, identity, pipeline);

  it("keeps zero rows, zero columns and buffers exactly", () => {
    const out = decoded(record);
    // Adding 0 turns −0 into 0.
    const buffers = update.subarray(layout.parameterLength).map((value) => value + 0);
    expect(out.subarray(layout.parameterLength)).toEqual(buffers);
    const dense = layout.slots.find(({ name }) => name === "dense");
    const zeroRow = (row: number): boolean =>
      update
        .subarray((dense?.offset ?? 0) + row * 30, (dense?.offset ?? 0) + (row + 1) * 30)
        .every((x) => x === 0);
    const rows = Array.from({ length: 40 }, (_, row) => row).filter(zeroRow);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      const at = (dense?.offset ?? 0) + row * 30;
      expect(out.subarray(at, at + 30).every((value) => Object.is(value, 0))).toBe(true);
    }
  });

  it("refuses every cut and every changed byte, naming the round and the client", () => {
    for (let at = 0; at < record.length; at++) {
      const changed = record.slice();
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      expectRefusal(changed);
      expectRefusal(record.subarray(0, at));
    }
    expectRefusal(Uint8Array.from([...record, 0]));
  });

  it("refuses or decodes to finite numbers whatever lies under a valid checksum", () => {
    const patch = fc.record({ at: fc.nat(record.length - 5), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(patch, { minLength: 1, maxLength: 4 }), fc.boolean(), (patches, isHeaderOnly) => {
        const forged = record.slice();
        for (const { at, value } of patches) forged[isHeaderOnly ? at % 36 : at] = value;
        sign(forged);
        try {
          expect(decoded(forged).every(Number.isFinite)).toBe(true);
        } catch (error) {
          expect(isLetheError(error, "integrity")).toBe(true);
        }
      }),
      { numRuns: 400 },
    );
  });

  it("codes an update of zeros and an update of huge or tiny numbers", () => {
    for (const scale of [0, -0, 1e-44, 1e-30, 1e25]) {
      const scaled = update.map((value) => value * scale);
      const out = decoded(encodeUpdate(scaled, frame, identity, pipeline).record);
      expect(out.every(Number.isFinite)).toBe(true);
      if (scale === 0) expect(out.every((value) => Object.is(value, 0))).toBe(true);
    }
  });

  it("keeps single zeros when the update is sparse", () => {
    const stream = randomStream(keyFromSeed(9));
    const sparse = update.map((value) => (stream.uniform() < 0.9 ? 0 : value));
    const options = { ...pipeline, sparse: true };
    const out = decoded(encodeUpdate(sparse, frame, identity, options).record);
    sparse.forEach((value, index) => {
      if (value === 0) expect(out[index]).toBe(0);
    });
  });
});

describe("encodeUpdate", () => {
  it("refuses numbers that are not finite, naming the tensor", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const update = realLike(layout, 1);
      update[0] = value;
      expect(() => encodeUpdate(update, frame, identity, { quantiser: "z", rate })).toThrow(/tensor "conv"/);
    }
  });

  it("refuses an update of another length and more digits than single precision has", () => {
    const short = new Float32Array(3);
    expect(() => encodeUpdate(short, frame, identity, { quantiser: "z", rate })).toThrow(
      /Expected \d+ numbers/,
    );
    const fine = { quantiser: "z" as const, rate: { stepPerRms: 1e-9 } };
    expect(() => encodeUpdate(realLike(layout, 1), frame, identity, fine)).toThrow(/2\^23 steps/);
  });

  it.each([0.3, 1, 2, 4])(
    "comes within 3 %% of %d bits, in few passes from the last step",
    (bitsPerParameter) => {
      const large = layoutOf([{ name: "dense", shape: [200, 150], role: "parameter" }]);
      const wide = { layout: large, key: frame.key };
      const options = { quantiser: "z" as const, rate: { bitsPerParameter } };
      const first = encodeUpdate(realLike(large, 1), wide, identity, options);
      expect(Math.abs((8 * first.record.length) / large.length / bitsPerParameter - 1)).toBeLessThan(0.03);
      const second = encodeUpdate(
        realLike(large, 1),
        wide,
        { ...identity, round: 8 },
        { ...options, previous: first },
      );
      expect(second.passes).toBeLessThanOrEqual(2);
      expect(Math.abs((8 * second.record.length) / large.length / bitsPerParameter - 1)).toBeLessThan(0.03);
    },
  );

  it("gives two clients and two rounds independent errors", () => {
    const update = realLike(layout, 1);
    const errors = [identity, { ...identity, round: 8 }, { ...identity, client: "b" }].map((who) => {
      const out = new Float32Array(layout.length);
      const { record } = encodeUpdate(update, frame, who, { quantiser: "z", rate: { stepPerRms: 1 } });
      decodeUpdate(record, frame, who, out);
      return out.map((value, index) => value - (update[index] as number));
    });
    const dot = (a: Float32Array, b: Float32Array): number =>
      a.reduce((sum, value, index) => sum + value * (b[index] as number), 0);
    const [a, b, c] = errors as [Float32Array, Float32Array, Float32Array];
    const limit = 5 / Math.sqrt(layout.parameterLength);
    expect(Math.abs(dot(a, b) / dot(a, a))).toBeLessThan(limit);
    expect(Math.abs(dot(a, c) / dot(a, a))).toBeLessThan(limit);
  });
});

describe("the format", () => {
  // Made by this test with Node 24.21, seed 5: a change here breaks every history that was ever written.
  it.each([
    ["z" as const, "sha256:fdf7ccc54a573e7ef7b8de52b3779bb01174c67fdb30d3d6fc94ede1ea9fba6d"],
    ["e8" as const, "sha256:912bc67f932c166f986a4eff37ef804435bf510dccdc7801842f6b38e33da24c"],
    ["none" as const, "sha256:e374a7053280c4aa8752053c4fd307ae67bf5ced03f2b3b0a5e07e5407eb63f1"],
    ["int8" as const, "sha256:3f13dcd5b620687a5f0320d19d1cb1a03c02a9f5bc9e6afe8ab2dfe933eea67c"],
  ])("writes and reads %s as it always did", (quantiser, digest) => {
    // Integers and powers of two: the input itself is equal on every machine.
    const update = Float32Array.from({ length: layout.length }, (_, index) =>
      index % 5 === 0 ? 0 : (((index * 7919) % 201) - 100) * 2 ** -12,
    );
    const { record } = encodeUpdate(update, frame, identity, { quantiser, rate: { bitsPerParameter: 2.5 } });
    const out = decoded(record);
    const bytes = new Uint8Array(out.buffer);
    expect(digestBytes(Uint8Array.from([...record, ...bytes]))).toBe(digest);
  });

  it("decodes to the same bits in another process", () => {
    const update = realLike(layout, 3);
    const records = pipelines.map(([, pipeline]) => encodeUpdate(update, frame, identity, pipeline).record);
    const program = `
      import { decodeUpdate } from ${JSON.stringify(new URL("./update-codec.ts", import.meta.url).href)};
      import { layoutOf } from ${JSON.stringify(new URL("../kernel/layout.ts", import.meta.url).href)};
      import { keyFromSeed } from ${JSON.stringify(new URL("../kernel/key.ts", import.meta.url).href)};
      const layout = layoutOf(${JSON.stringify(layout.slots)});
      for (const hex of ${JSON.stringify(records.map((record) => Buffer.from(record).toString("hex")))}) {
        const out = new Float32Array(layout.length);
        const record = Uint8Array.from(Buffer.from(hex, "hex"));
        decodeUpdate(record, { layout, key: keyFromSeed(5) }, ${JSON.stringify(identity)}, out);
        process.stdout.write(Buffer.from(out.buffer).toString("hex"));
      }
    `;
    const there = execFileSync(process.execPath, ["--input-type=module", "--no-warnings", "-e", program], {
      encoding: "utf8",
    });
    expect(there).toBe(records.map((record) => Buffer.from(decoded(record).buffer).toString("hex")).join(""));
  });

  it("refuses a record under another name", () => {
    const { record } = encodeUpdate(realLike(layout, 1), frame, identity, { quantiser: "z", rate });
    expect(readRecord(record, identity).client).toBe("émile");
    expect(() => readRecord(record, { ...identity, client: "b" })).toThrow(/client "émile" in round 7/);
    expect(() => readRecord(record, { ...identity, round: 8 })).toThrow(/in round 7/);
  });
});

function sign(record: Uint8Array): void {
  const end = record.length - 4;
  new DataView(record.buffer).setUint32(end, crc32(record.subarray(0, end)), true);
}

function expectRefusal(record: Uint8Array): void {
  try {
    decoded(record);
  } catch (error) {
    expect(isLetheError(error, "integrity")).toBe(true);
    expect((error as Error).message).toContain('client "émile" in round 7');
    return;
  }
  expect.fail("a changed record was accepted");
}
