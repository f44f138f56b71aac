import { describe, expect, it } from "vitest";
import { isLetheError } from "../kernel/errors.ts";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { layoutOf } from "../kernel/layout.ts";
import { codecConfigSchema } from "./config.ts";
import { errorVariance, type PipelineOptions } from "./pipeline.ts";
import type { Quantiser } from "./quantisers/contract.ts";
import { type QuantiserId, quantisers } from "./quantisers/index.ts";
import { readRecord } from "./record.ts";
import { decodeUpdate, encodeUpdate } from "./update-codec.ts";

const layout = layoutOf([{ name: "dense", shape: [61, 50], role: "parameter" }]);
const frame = { layout, key: keyFromSeed(5) };
const identity = { round: 7, client: "a" };
const all = Object.entries<Quantiser>(quantisers) as [QuantiserId, Quantiser][];

function gaussian(): Float32Array {
  const stream = randomStream(keyFromSeed(1));
  return Float32Array.from({ length: layout.length }, () => stream.normal());
}

function throughCodec(update: Float32Array, options: PipelineOptions) {
  const { record, step } = encodeUpdate(update, frame, identity, options);
  const out = new Float32Array(layout.length);
  decodeUpdate(record, frame, identity, out);
  return { record, step, out };
}

describe.each(all.filter(([, { fixedReach }]) => fixedReach !== undefined))(
  "%s at a fixed rate",
  (id, { fixedReach }) => {
    it.each([3, 4, 8])("uses %d bits a symbol, whatever the values", (fixedBits) => {
      const few = throughCodec(gaussian(), { quantiser: id, rate: { fixedBits } });
      const cubed = throughCodec(
        gaussian().map((value) => value ** 3),
        { quantiser: id, rate: { fixedBits } },
      );
      expect(cubed.record.length).toBe(few.record.length);
      // Padding of a block, envelope, parities and cosets.
      const bits = id === "d4" ? fixedBits - 1 / 4 : fixedBits;
      expect((8 * few.record.length) / layout.length - bits).toBeLessThan(0.2);
      expect((8 * few.record.length) / layout.length - bits).toBeGreaterThan(0.1);
    });

    it("clips beyond 4.5 root mean squares and nowhere else", () => {
      const update = gaussian();
      update[5] = 60;
      const { out, step } = throughCodec(update, { quantiser: id, rate: { fixedBits: 6 } });
      const reach = (fixedReach?.(6) ?? 0) * step;
      expect(
        Math.abs(reach / 4.5 - Math.sqrt(update.reduce((sum, x) => sum + x * x, 0) / layout.length)),
      ).toBeLessThan(1e-3);
      expect(Math.abs((out[5] as number) - reach)).toBeLessThanOrEqual(1.001 * step);
      update.forEach((value, index) => {
        if (index !== 5) expect(Math.abs((out[index] as number) - value)).toBeLessThanOrEqual(1.001 * step);
      });
    });
  },
);

describe("the parts of a pipeline", () => {
  it("are named in the record, and an unshared dither doubles the stated error", () => {
    const options = { quantiser: "e8", rate: { stepPerRms: 1 } } as const;
    const plain = readRecord(throughCodec(gaussian(), options).record, identity);
    const hidden = readRecord(
      throughCodec(gaussian(), { ...options, dither: "non-subtractive" }).record,
      identity,
    );
    expect(plain.stages).toEqual({ quantiser: 2, isDitherShared: true, coder: 3, fixedBits: 0 });
    expect(hidden.stages).toEqual({ ...plain.stages, isDitherShared: false });
    expect(errorVariance(plain)).toBeCloseTo((929 / 12960) * plain.step ** 2, 12);
    expect(errorVariance(hidden)).toBeCloseTo((2 * 929 * hidden.step ** 2) / 12960, 12);
    expect(
      errorVariance(
        readRecord(
          throughCodec(gaussian(), { quantiser: "dq4", rate: { bitsPerParameter: 2 } }).record,
          identity,
        ),
      ),
    ).toBeUndefined();
  });

  it("are refused where they do not fit together, in the configuration and by the codec", () => {
    const wrong: readonly PipelineOptions[] = [
      { quantiser: "tcq4", rate: { bitsPerParameter: 2 }, dither: "non-subtractive" },
      { quantiser: "deadzone", rate: { fixedBits: 4 } },
      { quantiser: "e8", rate: { fixedBits: 2 } },
      { quantiser: "topk", rate: { stepPerRms: 1 } },
    ];
    for (const options of wrong) {
      expect(codecConfigSchema.safeParse(options).success).toBe(false);
      try {
        encodeUpdate(gaussian(), frame, identity, options);
        expect.fail("accepted");
      } catch (error) {
        expect(isLetheError(error) && error.code).toBe("LETHE_USAGE_PIPELINE");
      }
    }
  });

  it("leave the configuration of older histories as it was", () => {
    expect(Object.keys(codecConfigSchema.parse({}))).toEqual([
      "quantiser",
      "rate",
      "storedClientFraction",
      "threshold",
    ]);
  });
});

describe.each(all)("%s codes hard updates", (quantiser, { rateControl }) => {
  const cases: Readonly<Record<string, readonly number[]>> = {
    "one element": [3],
    "a constant": new Array(33).fill(-0.25),
    "subnormal numbers": [1e-45, -1e-40, 0, 1e-42, -1e-45],
    "nine orders of magnitude": Array.from({ length: 51 }, (_, index) => (index % 2 === 0 ? 1e9 : -1)),
    "one large number among zeros": [0, 0, 0, 1e20, 0, 0, 0, 0, 0],
    nothing: [],
  };
  it.each(Object.keys(cases))("%s", (name) => {
    const update = Float32Array.from(cases[name] ?? []);
    const small = layoutOf([{ name: "w", shape: [update.length], role: "parameter" }]);
    const own = { layout: small, key: keyFromSeed(2) };
    const { record, step } = encodeUpdate(update, own, identity, {
      quantiser,
      rate: { bitsPerParameter: 4 },
    });
    const out = new Float32Array(update.length).fill(7);
    decodeUpdate(record, own, identity, out);
    expect(out.every(Number.isFinite)).toBe(true);
    if (rateControl !== "step") return;
    const largest = Math.max(0, ...update.map(Math.abs));
    out.forEach((value, index) => {
      expect(Math.abs(value - (update[index] as number))).toBeLessThanOrEqual(
        1.001 * step + largest * 2 ** -22,
      );
    });
  });
});
