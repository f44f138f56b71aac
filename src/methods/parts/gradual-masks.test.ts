import { describe, expect, it } from "vitest";
import { gradualMasks } from "./gradual-masks.ts";

describe("gradualMasks", () => {
  it("peaks in the middle rows, and its complement at the borders", () => {
    const [rows, columns, border] = gradualMasks([1, 32, 32], 0) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    expect([0, 15, 16, 31].map((row) => rows[row * 32 + 7])).toEqual([0, 15 / 16, 15 / 16, 0]);
    expect([0, 15, 16, 31].map((column) => columns[7 * 32 + column])).toEqual([0, 15 / 16, 15 / 16, 0]);
    rows.forEach((weight, pixel) => {
      expect(border[pixel]).toBeCloseTo(15 / 16 - weight, 6);
    });
  });

  it("is the same for every channel, shifted and clipped", () => {
    const [mask] = gradualMasks([3, 4, 4], 0.8) as [Float32Array];
    expect([...mask.subarray(0, 16)]).toEqual([...mask.subarray(32, 48)]);
    expect(Math.max(...mask)).toBe(1);
    expect(Math.min(...(gradualMasks([3, 4, 4], -0.3)[0] as Float32Array))).toBe(0);
    expect(gradualMasks([9], 0).map(({ length }) => length)).toEqual([9, 9, 9, 9]);
  });
});
