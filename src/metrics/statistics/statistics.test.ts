import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { bootstrapInterval } from "./bootstrap.ts";
import { clopperPearson } from "./clopper-pearson.ts";
import { equivalenceTest } from "./equivalence-test.ts";
import { kolmogorovSmirnov } from "./kolmogorov-smirnov.ts";
import { rankProbability } from "./rank-probability.ts";
import {
  areaUnder,
  attackOutcome,
  balancedAccuracy,
  logarithmicPoints,
  rocCurve,
  truePositiveRateAt,
} from "./roc.ts";
import { mean, median, quantile, variance } from "./summary.ts";

const stream = randomStream(keyFromSeed("statistics"));
const normals = (count: number, shift = 0): number[] =>
  Array.from({ length: count }, () => shift + stream.normal());

describe("summaries", () => {
  it("the variance is unbiased, quantiles are linear between order statistics", () => {
    expect(variance([1, 2, 3, 4])).toBeCloseTo(5 / 3, 12);
    expect(quantile([4, 1, 3, 2], 0.95)).toBeCloseTo(3.85, 12);
    expect(median([5, 1, 3])).toBe(3);
    expect(median([1, 2])).toBe(1.5);
    expect(mean([])).toBeNaN();
  });
});

describe("the ROC curve", () => {
  const scores = [3, 2, 2, 2, 1, 0];
  const members = [true, true, false, true, false, false];

  it("never splits equal scores, whatever their order", () => {
    const curve = rocCurve(scores, members);
    expect(curve.map((point) => [point.falsePositiveRate, point.truePositiveRate])).toEqual([
      [0, 0],
      [0, 1 / 3],
      [1 / 3, 1],
      [2 / 3, 1],
      [1, 1],
    ]);
    const turned = rocCurve(scores.toReversed(), members.toReversed());
    expect(turned).toEqual(curve);
  });

  it("has the area that counting pairs gives, for any ties", () => {
    const sample = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(sample, { minLength: 2, maxLength: 40 }), (rows) => {
        const inside = rows.filter(([, isMember]) => isMember).map(([score]) => score);
        const outside = rows.filter(([, isMember]) => !isMember).map(([score]) => score);
        fc.pre(inside.length > 0 && outside.length > 0);
        const curve = rocCurve(
          rows.map(([score]) => score),
          rows.map(([, isMember]) => isMember),
        );
        expect(areaUnder(curve)).toBeCloseTo(rankProbability(outside, inside), 12);
        expect(balancedAccuracy(curve)).toBeGreaterThanOrEqual(0.5);
      }),
    );
  });

  it("gives a true positive rate only at thresholds an attacker can choose", () => {
    const curve = rocCurve(scores, members);
    expect(truePositiveRateAt(curve, 0.3)).toBeCloseTo(1 / 3, 12);
    expect(truePositiveRateAt(curve, 1 / 3)).toBe(1);
    // All scores alike: nobody can be called a member without calling everyone one.
    expect(truePositiveRateAt(rocCurve([1, 1, 1, 1], [true, true, false, false]), 0.5)).toBe(0);
  });

  it("has no true positive rate at false positive rates that so few non-members cannot show", () => {
    const outcome = attackOutcome(normals(300), [
      ...new Array<boolean>(150).fill(true),
      ...new Array<boolean>(150).fill(false),
    ]);
    expect(outcome.truePositiveRateAt1Percent).toEqual(expect.any(Number));
    expect(outcome.truePositiveRateAt01Percent).toBeUndefined();
  });

  it("has points for logarithmic axes at or above the floor, each once", () => {
    const points = logarithmicPoints(rocCurve(scores, members), 1 / 6);
    expect(points[0]).toEqual([1 / 6, 1 / 6]);
    for (const [x, y] of points) expect(Math.min(x, y)).toBeGreaterThanOrEqual(1 / 6);
    expect(new Set(points.map(String)).size).toBe(points.length);
  });
});

describe("the Kolmogorov–Smirnov test", () => {
  it("has p = 1 for equal samples and the least possible p for disjoint ones", () => {
    expect(kolmogorovSmirnov([1, 2, 3], [1, 2, 3])).toMatchObject({ statistic: 0, p: 1 });
    const { statistic, p } = kolmogorovSmirnov([1, 2, 3], [4, 5, 6]);
    expect(statistic).toBe(1);
    expect(p).toBeCloseTo(2 / 20, 12);
  });

  it("rejects as often as it says, and does not depend on the order of the samples", () => {
    const small = Array.from({ length: 400 }, () => kolmogorovSmirnov(normals(15), normals(12)).p);
    const rejected = small.filter((p) => p < 0.1).length / small.length;
    expect(rejected).toBeGreaterThan(0.04);
    expect(rejected).toBeLessThan(0.13);
    const [a, b] = [normals(9), normals(14, 1)];
    expect(kolmogorovSmirnov(a, b).p).toBeCloseTo(kolmogorovSmirnov(b, a).p, 12);
  });

  it("keeps its relative precision where p is tiny", () => {
    const { p } = kolmogorovSmirnov(normals(60), normals(60, 50));
    // 2 of the (120 choose 60) orders.
    expect(Math.log10(p)).toBeCloseTo(Math.log10(2) - 34.985, 2);
  });

  it("goes over to the limit for large samples, and there they agree", () => {
    const [a, b] = [normals(700), normals(600, 0.1)];
    const exact = kolmogorovSmirnov(a, b).p;
    const limit = kolmogorovSmirnov(a, b, "asymptotic").p;
    expect(Math.abs(exact - limit)).toBeLessThan(0.03);
    expect(kolmogorovSmirnov(normals(4000), normals(4000))).toMatchObject({ method: "asymptotic" });
    expect(() => kolmogorovSmirnov([], [1])).toThrow(/at least 1/);
  });
});

describe("two one-sided tests", () => {
  it("call means equivalent only when the data show it: too few runs do not", () => {
    const spread = [0.6, -0.4, 0.3, -0.5];
    const many = Array.from({ length: 60 }, (_, index) => spread[index % 4] as number);
    expect(equivalenceTest(spread, spread, 0.4).isEquivalent).toBe(false);
    expect(equivalenceTest(many, many, 0.4).isEquivalent).toBe(true);
    expect(equivalenceTest(many, normals(60, 1), 0.4).isEquivalent).toBe(false);
  });

  it("decide runs that do not vary by their difference alone", () => {
    expect(equivalenceTest([1, 1], [1.1, 1.1], 0.2)).toMatchObject({ p: 0, isEquivalent: true });
    expect(equivalenceTest([1, 1], [1.3, 1.3], 0.2)).toMatchObject({ p: 1, isEquivalent: false });
    expect(() => equivalenceTest([1], [1, 2], 0.2)).toThrow(/at least 2/);
    expect(() => equivalenceTest([1, 2], [1, 2], 0)).toThrow(/margin above 0/);
  });
});

describe("Clopper and Pearson's interval", () => {
  it("says of 0 in n what the rule of three says, and covers the share", () => {
    const { low, high } = clopperPearson(0, 100, 0.9);
    expect(low).toBe(0);
    expect(high).toBeCloseTo(3 / 100, 2);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
        const k = Math.round(share * n);
        const interval = clopperPearson(k, n);
        expect(interval.low).toBeLessThanOrEqual(k / n);
        expect(interval.high).toBeGreaterThanOrEqual(k / n);
      }),
    );
    expect(() => clopperPearson(3, 2)).toThrow(/3 of 2/);
  });
});

describe("bootstrap intervals", () => {
  const grandMean = (groups: readonly (readonly number[])[]): number => mean(groups.map(mean));

  it("over seeds and samples are wider than over samples alone when seeds differ", () => {
    const seeds = [0, 2, 4, 6].map((shift) => normals(50, shift));
    const both = bootstrapInterval(seeds, grandMean, keyFromSeed(1));
    const pooled = bootstrapInterval([seeds.flat()], grandMean, keyFromSeed(1));
    expect(both.high - both.low).toBeGreaterThan(2 * (pooled.high - pooled.low));
    expect(both.value).toBeCloseTo(3, 0);
  });

  it("cover the truth about as often as they say", () => {
    const covered = Array.from({ length: 150 }, (_, run) => {
      const { low, high } = bootstrapInterval([normals(40)], grandMean, keyFromSeed(run), { resamples: 300 });
      return low <= 0 && high >= 0;
    }).filter(Boolean).length;
    expect(covered / 150).toBeGreaterThan(0.86);
  });

  it("serve what is no mean of numbers, such as the area under an attack's curve", () => {
    const scored = [
      ...normals(80, 1).map((score) => [score, true] as const),
      ...normals(80).map((score) => [score, false] as const),
    ];
    const auc = (groups: readonly (readonly (readonly [number, boolean])[])[]) => {
      const rows = groups.flat();
      return areaUnder(
        rocCurve(
          rows.map(([score]) => score),
          rows.map(([, isMember]) => isMember),
        ),
      );
    };
    const { value, low, high } = bootstrapInterval([scored], auc, keyFromSeed(1), { resamples: 400 });
    // Φ(1/√2) = 0.760 is the truth.
    expect(low).toBeLessThan(0.76);
    expect(high).toBeGreaterThan(0.76);
    expect(value).toBeGreaterThan(low);
    expect(high - low).toBeLessThan(0.2);
  });

  it("are the same for the same key, and collapse for values that do not vary", () => {
    const values = [normals(20)];
    const run = (seed: number) => bootstrapInterval(values, grandMean, keyFromSeed(seed), { resamples: 200 });
    expect(run(3)).toEqual(run(3));
    expect(run(3)).not.toEqual(run(4));
    expect(bootstrapInterval([[2, 2, 2]], grandMean, keyFromSeed(1))).toEqual({ value: 2, low: 2, high: 2 });
    expect(() => bootstrapInterval([[1]], grandMean, keyFromSeed(1))).toThrow(/at least 2 `samples`/);
    expect(() => bootstrapInterval([[1, Number.NaN]], grandMean, keyFromSeed(1))).toThrow(/finite/);
  });
});
