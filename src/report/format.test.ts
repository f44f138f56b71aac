import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  countNoun,
  formatBytes,
  formatCount,
  formatPercent,
  formatPoints,
  formatRatio,
  formatSeconds,
  formatSignificant,
  joinWords,
} from "./format.ts";

/** Formats join number and unit by a no-break space. */
const spaced = (text: string) => text.replaceAll("\u00a0", " ");

describe("formats", () => {
  it("writes a share with one decimal and never rounds something to nothing or to all", () => {
    expect([0, 0.9304, 1, 0.0002, 0.9998].map(formatPercent)).toEqual([
      "0.0%",
      "93.0%",
      "100.0%",
      "<0.1%",
      ">99.9%",
    ]);
    fc.assert(
      fc.property(fc.double({ min: Number.MIN_VALUE, max: 1 - Number.EPSILON, noNaN: true }), (share) => {
        expect(["0.0%", "100.0%"]).not.toContain(formatPercent(share));
      }),
    );
  });

  it("writes a difference with its sign, and none for one that rounds to zero", () => {
    expect([-0.013, 0.0204, 0.0004, -0.0004].map(formatPoints).map(spaced)).toEqual([
      "−1.3 points",
      "+2.0 points",
      "±0.0 points",
      "±0.0 points",
    ]);
  });

  it("writes bytes in the unit that leaves one to three digits before the point", () => {
    expect([0, 999, 1000, 5_852_350, 162_848_000, 999_600, 3.2e12].map(formatBytes).map(spaced)).toEqual([
      "0 B",
      "999 B",
      "1.00 kB",
      "5.85 MB",
      "163 MB",
      "1.00 MB",
      "3.20 TB",
    ]);
  });

  it("writes seconds as a person would", () => {
    expect([0, 0.0002, 0.042, 0.9996, 1.94, 59.97, 134, 3599.6, 8100].map(formatSeconds).map(spaced)).toEqual(
      ["0 s", "1 ms", "42 ms", "1.0 s", "1.9 s", "1 min 0 s", "2 min 14 s", "1 h 0 min", "2 h 15 min"],
    );
  });

  it("writes counts, ratios, plain numbers and lists", () => {
    expect(formatCount(162_848_000)).toBe("162,848,000");
    expect([formatRatio(163, 5.85), formatRatio(32, 15)]).toEqual(["28×", "2.1×"]);
    expect([0.5231, 12.345, 1234.5, 0, -0.25].map(formatSignificant)).toEqual([
      "0.523",
      "12.3",
      "1235",
      "0",
      "−0.250",
    ]);
    expect([joinWords([]), joinWords(["a"]), joinWords(["a", "b", "c"])]).toEqual(["", "a", "a, b and c"]);
    expect([countNoun(1, "client"), countNoun(0, "client")]).toEqual(["1 client", "0 clients"]);
  });
});
