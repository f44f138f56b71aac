import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  broadcastAxes,
  broadcastShapes,
  type Dim,
  productOfDims,
  quotientOfDims,
  sumOfDims,
} from "./shape.ts";

const dim = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom<Dim>("batch", "time"));

describe("sizes with names", () => {
  it("multiply and divide back", () => {
    fc.assert(
      fc.property(fc.array(dim, { maxLength: 4 }), fc.array(dim, { maxLength: 4 }), (left, right) => {
        const quotient = quotientOfDims([productOfDims([...left, ...right])], right);
        expect(quotient).toBe(productOfDims(left));
      }),
    );
  });

  it("say when a size does not divide", () => {
    expect(quotientOfDims([7], [2])).toBeUndefined();
    expect(quotientOfDims(["batch", 4], ["batch", 3])).toBeUndefined();
  });

  it("keep a name alone when there is nothing to add", () => {
    expect(sumOfDims(["batch", 0])).toBe("batch");
    expect(sumOfDims(["batch", 2, 3])).toBe("(batch+5)");
    expect(sumOfDims([2, 3])).toBe(5);
  });
});

describe("broadcasting", () => {
  it("stretches 1 and finds the axes that were stretched", () => {
    expect(broadcastShapes(["batch", 1, 3], [2, 1])).toEqual(["batch", 2, 3]);
    expect(broadcastAxes([2, 1], ["batch", 2, 3])).toEqual([0, 2]);
  });

  it("names both shapes when they do not fit", () => {
    expect(() => broadcastShapes([2, 3], [4, 3])).toThrow(
      expect.objectContaining({
        code: "LETHE_DATA_SHAPE",
        message: expect.stringContaining("[2, 3] and [4, 3]"),
      }),
    );
  });
});
