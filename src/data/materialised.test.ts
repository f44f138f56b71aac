import { describe, expect, it } from "vitest";
import { materialised } from "./materialised.ts";
import { samplesOf } from "./samples.ts";

const table = samplesOf({
  idPrefix: "t",
  features: { values: Uint8Array.from([0, 51, 102, 153, 204, 255]), divisor: 255 },
  featureShape: [2],
  labels: Int32Array.from([0, 1, 0]),
  classCount: 2,
});

describe("materialised", () => {
  it("gathers what the samples it was made from gather", () => {
    const dense = materialised(table.subset([2, 0, 1]));
    const out = new Float32Array(4);
    dense.gather([0, 2], out);
    expect([...out]).toEqual([204 / 255, 1, 102 / 255, 153 / 255].map(Math.fround));
    expect(dense.id(0)).toBe("t/2");
  });

  it("refuses a position outside the samples", () => {
    expect(() => materialised(table).gather([3], new Float32Array(2))).toThrow(/position in \[0, 3\)/);
  });
});
