import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alteredSamples } from "./altered.ts";
import type { Samples } from "./dataset.ts";
import { samplesOf } from "./samples.ts";

/** Sample i has features i, i + 1 (in 255ths), label i mod 3, subject by parity. */
function ramp(count: number): Samples {
  return samplesOf({
    idPrefix: "ramp/train",
    featureShape: [2],
    features: {
      values: Uint8Array.from({ length: 2 * count }, (_, at) => (at >> 1) + (at & 1)),
      divisor: 255,
    },
    labels: Int32Array.from({ length: count }, (_, position) => position % 3),
    classCount: 3,
    subjects: { codes: Int32Array.from({ length: count }, (_, at) => at % 2), names: ["ann", "bo"] },
    groups: { site: { codes: new Int32Array(count), names: ["north"] } },
  });
}

describe("samplesOf", () => {
  it("gathers bytes divided by their divisor, row after row", () => {
    const out = new Float32Array(6);
    ramp(10).gather([7, 0], out);
    expect([...out]).toEqual([7 / 255, 8 / 255, 0, 1 / 255, 0, 0].map(Math.fround));
  });

  it("gathers floating-point features as they are", () => {
    const values = Float32Array.of(1.5, -2, 3, 4);
    const samples = samplesOf({
      idPrefix: "t",
      featureShape: [2],
      features: { values },
      labels: Int32Array.of(0, 1),
      classCount: 2,
    });
    const out = new Float32Array(4);
    samples.gather(Uint32Array.of(1, 0), out);
    expect([...out]).toEqual([3, 4, 1.5, -2]);
    expect(samples.subject(0)).toBeUndefined();
    expect(samples.groups(0)).toEqual({});
  });

  it("names samples, subjects and groups", () => {
    const samples = ramp(4);
    expect(samples.id(3)).toBe("ramp/train/3");
    expect(samples.subject(3)).toBe("bo");
    expect(samples.groups(3)).toEqual({ site: "north" });
    expect(samples.positionsByClass().map((positions) => [...positions])).toEqual([[0, 3], [1], [2]]);
  });

  it("refuses positions outside the samples and an output that is too short", () => {
    const samples = ramp(4);
    for (const position of [-1, 4, 0.5, Number.NaN]) {
      expect(() => samples.gather([position], new Float32Array(2))).toThrow(/position in \[0, 4\)/);
      expect(() => samples.subset([position])).toThrow(/position in \[0, 4\)/);
    }
    expect(() => samples.gather([0, 1], new Float32Array(3))).toThrow(/room for 2 × 2 numbers/);
  });

  it("refuses columns of different lengths", () => {
    const columns = { idPrefix: "t", featureShape: [2], labels: new Int32Array(3), classCount: 2 };
    expect(() => samplesOf({ ...columns, features: { values: new Float32Array(4) } })).toThrow(
      /got 2 in features/,
    );
  });
});

describe("a view", () => {
  it("shows what its positions name, however views are stacked", () => {
    const base = ramp(50);
    const positions = fc.array(fc.nat(49), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(positions, fc.array(fc.nat(), { maxLength: 20 }), (outer, draws) => {
        const inner = draws.map((draw) => draw % outer.length);
        const view = base.subset(outer).subset(Uint32Array.from(inner));
        const expected = inner.map((at) => outer[at] as number);

        const all = Array.from({ length: view.count }, (_, at) => at);
        const out = new Float32Array(2 * view.count);
        view.gather(all, out);
        const reference = new Float32Array(2 * view.count);
        base.gather(expected, reference);
        expect(out).toEqual(reference);
        expect(all.map((at) => view.id(at))).toEqual(expected.map((at) => base.id(at)));
        expect(all.map((at) => view.subject(at))).toEqual(expected.map((at) => base.subject(at)));
        expect([...view.labels]).toEqual(expected.map((at) => base.labels[at]));
      }),
    );
  });

  it("keeps its own positions when the caller's array changes", () => {
    const positions = Uint32Array.of(2, 1);
    const view = ramp(4).subset(positions);
    positions.fill(0);
    expect(view.id(0)).toBe("ramp/train/2");
  });

  it("refuses a position outside itself even where the samples under it reach further", () => {
    const view = ramp(9).subset([8]);
    expect(() => view.id(1)).toThrow(/position in \[0, 1\)/);
    expect(() => view.gather([1], new Float32Array(2))).toThrow(/position in \[0, 1\)/);
  });
});

describe("alteredSamples", () => {
  it("changes marked rows and labels, and leaves the samples under it alone", () => {
    const base = ramp(4);
    const altered = alteredSamples(base, {
      labels: Int32Array.of(2, 2, 2, 2),
      features: {
        marked: Uint8Array.of(0, 1, 0, 0),
        change: (out, offset) => out.fill(9, offset, offset + 2),
      },
    });
    const out = new Float32Array(4);
    altered.subset([1, 0]).gather([0, 1], out);
    expect([...out]).toEqual([9, 9, 0, Math.fround(1 / 255)]);
    expect([...altered.positionsByClass().map((positions) => positions.length)]).toEqual([0, 0, 4]);
    expect(altered.id(1)).toBe("ramp/train/1");

    base.gather([1], out);
    expect(out[0]).toBe(Math.fround(1 / 255));
    expect([...base.labels]).toEqual([0, 1, 2, 0]);
  });

  it("refuses labels or marks that are not one per sample", () => {
    expect(() => alteredSamples(ramp(4), { labels: new Int32Array(3) })).toThrow(/4 entries/);
  });
});
