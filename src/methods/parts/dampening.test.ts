import fc from "fast-check";
import { expect, it } from "vitest";
import { dampened } from "./dampening.ts";

const set = (...values: number[]) => new Map([["w", Float32Array.from(values)]]);

it("shortens a weight by λ·I/I_f where the forget samples need it more than α times as much", () => {
  const { weights, share } = dampened(set(3, -2, 5, 7), set(8, 4, 4, 0), set(1, 1, 2, 0), {
    alpha: 2,
    lambda: 2,
  });
  expect([...(weights.get("w") ?? [])]).toEqual([0.75, -1, 5, 7]);
  expect(share).toBe(0.5);
});

it("takes a weight nothing else needs to zero, and leaves tensors without importances as they are", () => {
  const buffer = Float32Array.of(4);
  const given = new Map([...set(9), ["mean", buffer]]);
  const { weights } = dampened(given, set(1), set(0), { alpha: 5, lambda: 1 });
  expect(weights.get("w")).toEqual(Float32Array.of(0));
  expect(weights.get("mean")).toBe(buffer);
});

it("never lengthens a weight, and dampens nothing where α is beyond what the importances allow", () => {
  const importance = fc.integer({ min: 0, max: 1000 });
  fc.assert(
    fc.property(
      importance,
      importance,
      fc.double({ min: 0.1, max: 50, noNaN: true }),
      (forget, retain, lambda) => {
        // A tenth of the samples is forgotten, so that all is at least a tenth of own.
        const all = 0.1 * forget + 0.9 * retain;
        const short = dampened(set(1), set(forget), set(all), { alpha: 0.5, lambda });
        expect(Math.abs(short.weights.get("w")?.[0] ?? 2)).toBeLessThanOrEqual(1);
        expect(dampened(set(1), set(forget), set(all), { alpha: 10.01, lambda }).share).toBe(0);
      },
    ),
  );
});
