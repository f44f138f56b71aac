import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wilsonInterval } from "./proportion-interval.ts";

describe("wilsonInterval", () => {
  it("solves the equation that defines it: the share lies 1.96 standard errors from either end", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.nat(5000), (count, hits) => {
        const share = Math.min(hits, count) / count;
        const { low, high } = wilsonInterval(share, count);
        expect(low).toBeLessThanOrEqual(share + 1e-12);
        expect(high).toBeGreaterThanOrEqual(share - 1e-12);
        for (const end of [low, high])
          expect((share - end) ** 2).toBeCloseTo((1.959964 ** 2 * end * (1 - end)) / count, 9);
      }),
    );
  });
});
