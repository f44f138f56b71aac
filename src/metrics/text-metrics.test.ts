import { describe, expect, it } from "vitest";
import { privacyLeakage } from "./privacy-leakage.ts";
import { minK, minKPlusPlus } from "./token-membership.ts";
import { tofuForgetQuality, truthRatio } from "./truth-ratio.ts";

describe("Min-K%", () => {
  it("averages the least likely tokens, at least one", () => {
    expect(minK([-1, -5, -2, -3, -4], { share: 0.4 })).toBe(-4.5);
    expect(minK([-1, -5], { share: 0.1 })).toBe(-5);
    expect(() => minK([])).toThrow(/at least 1/);
    expect(() => minK([Number.NEGATIVE_INFINITY])).toThrow(/finite/);
    expect(() => minK([-1], { share: 20 })).toThrow(/share/);
  });

  it("++ is finite where the model is certain, and refuses tokens outside the vocabulary", () => {
    expect(minKPlusPlus(Float32Array.of(1e4, 0, 0), [0], 3)).toSatisfy(Number.isFinite);
    expect(() => minKPlusPlus(Float32Array.of(1, 0, 0), [3], 3)).toThrow(/position 0/);
    expect(() => minKPlusPlus(Float32Array.of(1, 0, 0), [1, 2], 3)).toThrow(/one length/);
  });
});

describe("PrivLeak", () => {
  const retrained = { forget: [1, 2, 3, 4], holdout: [1, 2, 3, 4] };

  it("is 0 like retrained, −100 % where members still stand out, +100 % where they are ruined", () => {
    expect(privacyLeakage(retrained, retrained).percent).toBe(0);
    expect(privacyLeakage({ forget: [8, 9], holdout: [1, 2] }, retrained).percent).toBe(-100);
    expect(privacyLeakage({ forget: [-8, -9], holdout: [1, 2] }, retrained).percent).toBe(100);
  });

  it("refuses to be relative to nothing, and has no default for a missing retrained model", () => {
    expect(() => privacyLeakage(retrained, { forget: [9], holdout: [1] })).toThrow(/held-out texts like/);
    expect(() => privacyLeakage(retrained, { forget: [], holdout: [] })).toThrow(/retrained forget scores/);
  });
});

describe("TOFU", () => {
  it("the truth ratio compares wrong answers with the right one, per token", () => {
    const losses = { paraphrase: [1], wrong: [[1 + Math.log(2), 1 + Math.log(8)]] };
    expect(truthRatio(losses)[0]).toBeCloseTo((1 / 2 + 1 / 8) / 2, 12);
    expect(truthRatio(losses, "geometric")[0]).toBeCloseTo(1 / 4, 12);
    expect(() => truthRatio({ paraphrase: [1], wrong: [[]] })).toThrow(/wrong answers/);
    expect(() => truthRatio({ paraphrase: [1, 2], wrong: [[1]] })).toThrow(/one length/);
  });

  it("forget quality gives the distance beside p: few questions cannot tell anything apart", () => {
    const known = [0.1, 0.2, 0.15, 0.12];
    const unknown = [0.8, 0.9, 0.7, 1.1];
    const few = tofuForgetQuality(known, unknown);
    expect(few.statistic).toBe(1);
    expect(few.p).toBeGreaterThan(0.02);
    const times = (list: readonly number[]) =>
      Array.from({ length: 40 }, (_, at) => (list[at % 4] as number) + at / 1e6);
    expect(tofuForgetQuality(times(known), times(unknown)).p).toBeLessThan(1e-12);
  });

  it("forget quality says when both logs are one and the same", () => {
    expect(tofuForgetQuality([0.3, 0.4], [0.3, 0.4])).toMatchObject({ p: 1, isIdentical: true });
    expect(tofuForgetQuality([0.3, 0.4], [0.4, 0.3])).toMatchObject({ p: 1, isIdentical: false });
  });
});
