import fc from "fast-check";
import { expect, it } from "vitest";
import { createModel } from "../models/index.ts";
import { maskByName, maskByScore, maskDensity } from "./masks.ts";

const scores = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 3 }),
  fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 12 }),
  { minKeys: 1, maxKeys: 4 },
);
const asSet = (tensors: Record<string, number[]>) =>
  new Map(Object.entries(tensors).map(([name, values]) => [name, Float32Array.from(values)]));

it("a mask by scores takes exactly the share, and nothing it leaves has a better score", () => {
  fc.assert(
    fc.property(
      scores,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom("largest" as const, "smallest" as const),
      (tensors, fraction, keep) => {
        const given = asSet(tensors);
        const mask = maskByScore(given, { fraction, keep });
        const sign = keep === "largest" ? 1 : -1;
        const all = [...given].flatMap(([name, values]) =>
          [...values].map((value, i) => ({ score: sign * value, isKept: mask.get(name)?.[i] === 1 })),
        );
        const kept = all.filter(({ isKept }) => isKept);
        const left = all.filter(({ isKept }) => !isKept);
        expect(kept).toHaveLength(Math.round(fraction * all.length));
        expect(Math.min(...kept.map(({ score }) => score))).toBeGreaterThanOrEqual(
          Math.max(...left.map(({ score }) => score)),
        );
        expect(maskDensity(mask)).toBeCloseTo(kept.length / all.length, 12);
      },
    ),
  );
});

it("of equal scores the earlier ones are taken; within each tensor when asked", () => {
  const given = asSet({ a: [1, 1, 1, 1], b: [5, 4, 3, 2] });
  expect([...maskByScore(given, { fraction: 0.75 }).values()].map((mask) => [...mask])).toEqual([
    [1, 1, 0, 0],
    [1, 1, 1, 1],
  ]);
  const each = maskByScore(given, { fraction: 0.5, within: "tensor", keep: "smallest" });
  expect([...each.values()].map((mask) => [...mask])).toEqual([
    [1, 1, 0, 0],
    [0, 0, 1, 1],
  ]);
});

it("a mask by name covers whole tensors of the parameters and no buffers", () => {
  const model = createModel("cnn-bn", { inputShape: [1, 8, 8], classes: 3 });
  const mask = maskByName(model, (name) => name.startsWith("conv"));
  expect([...mask.keys()]).toEqual(
    model.weights.filter(({ role }) => role === "parameter").map(({ name }) => name),
  );
  for (const [name, values] of mask) {
    expect(
      values.every((value) => value === (name.startsWith("conv") ? 1 : 0)),
      name,
    ).toBe(true);
  }
});

it("shares and scores that make no sense are refused", () => {
  const given = asSet({ a: [1, 2] });
  for (const fraction of [-0.1, 1.1, Number.NaN]) {
    expect(() => maskByScore(given, { fraction })).toThrowError(
      expect.objectContaining({ code: "LETHE_USAGE_MASK" }),
    );
  }
  expect(() => maskByScore(asSet({ a: [Number.NaN] }), { fraction: 0.5 })).toThrowError(
    expect.objectContaining({ code: "LETHE_NUMERIC_NOT_FINITE" }),
  );
});
