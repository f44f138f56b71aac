import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { accuracy, agreement, confusionMatrix } from "./accuracy.ts";
import { distance, parameterDistance } from "./distance.ts";
import { lossMembership } from "./membership.ts";
import { predictedClasses, sampleLosses } from "./predictions.ts";

describe("accuracy", () => {
  it("is the share of right answers, and no number without samples", () => {
    expect(accuracy(Int32Array.of(1, 2, 0, 2), Int32Array.of(1, 2, 2, 0))).toBe(0.5);
    expect(accuracy(Int32Array.of(1), Int32Array.of(1))).toBe(1);
    expect(accuracy(new Int32Array(0), new Int32Array(0))).toBeNaN();
  });

  it("agreement counts equal predictions, right or wrong", () => {
    expect(agreement(Int32Array.of(0, 0, 1, 2, 2), Int32Array.of(0, 1, 1, 2, 0))).toBe(0.6);
  });

  it("the confusion matrix counts (true, predicted) and its trace is the accuracy", () => {
    const [predicted, labels] = [Int32Array.of(0, 2, 2, 1, 0, 2), Int32Array.of(0, 2, 1, 1, 2, 2)];
    const matrix = confusionMatrix(predicted, labels, 4);
    expect(matrix).toEqual([
      [1, 0, 0, 0],
      [0, 1, 1, 0],
      [1, 0, 2, 0],
      [0, 0, 0, 0],
    ]);
    const trace = matrix.reduce((sum, row, label) => sum + (row[label] as number), 0);
    expect(trace / 6).toBe(accuracy(predicted, labels));
  });
});

describe("predictions", () => {
  it("are the class of the largest score, the first of equals", () => {
    expect(predictedClasses(Float32Array.of(1, 3, 2, -5, -7, -5, 4, 4, 4), 3)).toEqual(
      Int32Array.of(1, 0, 0),
    );
  });

  it("lose −log softmax in nats", () => {
    const losses = sampleLosses(Float32Array.of(0, 0, 0, Math.log(3), 0, 0), Int32Array.of(2, 0), 3);
    expect(losses[0]).toBeCloseTo(Math.log(3), 12);
    expect(losses[1]).toBeCloseTo(Math.log(5 / 3), 6);
  });

  it("have finite losses for scores of ten thousand", () => {
    const losses = sampleLosses(
      Float32Array.of(1e4, -1e4, 0, 1e4, -1e4, 0, 1e4, 1e4, 0),
      Int32Array.of(0, 1, 1),
      3,
    );
    expect([...losses]).toEqual([0, 20_000, expect.closeTo(Math.log(2), 9)]);
  });

  it("lose as much when all scores of a sample are raised alike", () => {
    const score = fc.integer({ min: -64, max: 64 });
    fc.assert(
      fc.property(
        fc.array(score, { minLength: 4, maxLength: 4 }),
        fc.nat(3),
        score,
        (scores, label, shift) => {
          const labels = Int32Array.of(label);
          const [plain] = sampleLosses(Float32Array.from(scores), labels, 4);
          const [shifted] = sampleLosses(
            Float32Array.from(scores, (value) => value + shift),
            labels,
            4,
          );
          expect(shifted).toBeCloseTo(plain as number, 9);
          expect(plain).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});

describe("the distance of parameters", () => {
  it("is Euclidean, summed in double precision", () => {
    expect(distance(Float32Array.of(1, 2, 3), Float32Array.of(1, 5, -1))).toBe(5);
    // 2^24 + 1 is no float32: a sum in single precision would stop counting.
    const many = new Float32Array(2 ** 24 + 16).fill(1);
    expect(distance(many, new Float32Array(many.length)) ** 2).toBeCloseTo(many.length, 3);
  });

  it("to retraining is 1 before unlearning, 0 at the retrained point and ½ half way", () => {
    const [trained, retrained] = [Float32Array.of(4, 0, -2), Float32Array.of(0, 2, 2)];
    expect(parameterDistance(trained, trained, retrained)).toBe(1);
    expect(parameterDistance(retrained, trained, retrained)).toBe(0);
    expect(parameterDistance(Float32Array.of(2, 1, 0), trained, retrained)).toBeCloseTo(0.5, 12);
  });
});

describe("the membership test", () => {
  const oneClass = (count: number): Int32Array => new Int32Array(count);
  const auc = (members: readonly number[], others: readonly number[]): number =>
    lossMembership(
      Float64Array.from(members),
      oneClass(members.length),
      Float64Array.from(others),
      oneClass(others.length),
    ).auc;

  it("is the chance that a member's loss is smaller, ties counting half", () => {
    expect(auc([1, 2], [3, 4, 5])).toBe(1);
    expect(auc([3, 4], [1, 2])).toBe(0);
    expect(auc([1, 1], [1, 1, 1])).toBe(0.5);
    // (1 < 2, 1 < 3, 1 = 1) · (2 = 2, 2 < 3, 2 > 1): (2.5 + 1.5) / 6.
    expect(auc([1, 2], [2, 3, 1])).toBeCloseTo(4 / 6, 12);
  });

  it("equals counting all pairs, class by class, weighted by the members' classes", () => {
    const sample = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.nat(2));
    const group = fc.array(sample, { minLength: 3, maxLength: 25 });
    fc.assert(
      fc.property(group, group, (members, others) => {
        const count = (wanted: number): { sum: number; pairs: number; size: number } => {
          const a = members.filter(([, label]) => label === wanted);
          const b = others.filter(([, label]) => label === wanted);
          const sum = a.flatMap(([x]) => b.map(([y]): number => (x < y ? 1 : x === y ? 0.5 : 0)));
          return { sum: sum.reduce((s, v) => s + v, 0), pairs: sum.length, size: a.length };
        };
        const usable = [0, 1, 2].map(count).filter(({ pairs }) => pairs > 0);
        const size = usable.reduce((sum, part) => sum + part.size, 0);
        const expected = usable.reduce((sum, part) => sum + (part.size * part.sum) / part.pairs, 0) / size;
        const found = lossMembership(
          Float64Array.from(members, ([loss]) => loss),
          Int32Array.from(members, ([, label]) => label),
          Float64Array.from(others, ([loss]) => loss),
          Int32Array.from(others, ([, label]) => label),
        );
        if (size === 0) {
          expect(found.auc).toBeNaN();
          return;
        }
        expect(found.auc).toBeCloseTo(expected, 12);
        expect(found.members).toBe(size);
        expect(found.standardError).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it("knows how far its AUC scatters, also where the members' classes are uneven", () => {
    const stream = randomStream(keyFromSeed(5));
    const drawn = (counts: readonly number[]): [Float64Array, Int32Array] => {
      const labels = Int32Array.from(counts.flatMap((count, label) => new Array<number>(count).fill(label)));
      return [Float64Array.from(labels, (label) => label + stream.normal()), labels];
    };
    const found = Array.from({ length: 1500 }, () =>
      lossMembership(...drawn([48, 6, 6]), ...drawn([30, 30, 30])),
    );
    const mean = found.reduce((sum, { auc: area }) => sum + area, 0) / found.length;
    const scatter = Math.sqrt(
      found.reduce((sum, { auc: area }) => sum + (area - mean) ** 2, 0) / found.length,
    );
    const claimed = found.reduce((sum, { standardError }) => sum + standardError, 0) / found.length;
    // The scatter of 1,500 draws is known to 2 %; pooled counts would claim 15 % too little.
    expect(claimed / scatter).toBeGreaterThan(0.94);
    expect(claimed / scatter).toBeLessThan(1.06);
  });

  it("with retained samples in place of new ones says ½ of a model that forgot nothing", () => {
    const stream = randomStream(keyFromSeed(7));
    const losses = (level: number) => Array.from({ length: 300 }, () => level * Math.abs(stream.normal()));
    const [forget, retained, fresh] = [losses(0.1), losses(0.1), losses(1)];
    expect(Math.abs(auc(forget, retained) - 0.5)).toBeLessThan(0.06);
    expect(auc(forget, fresh)).toBeGreaterThan(0.85);
  });

  it("falls as far below ½ for forgetting overdone as it rises above for none", () => {
    const losses = [0.1, 0.2, 0.3, 0.4];
    expect(auc([8, 9, 10], losses)).toBe(0);
    expect(auc([0.01, 0.02], losses)).toBe(1);
  });

  it("does not take another mix of classes for memory", () => {
    // Class 1 is harder; the members hold mostly class 0.
    const result = lossMembership(
      Float64Array.of(0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 5, 6),
      Int32Array.of(0, 0, 0, 0, 0, 0, 1, 1),
      Float64Array.of(0.1, 0.2, 5, 6, 5, 6, 5, 6, 7),
      Int32Array.of(0, 0, 1, 1, 1, 1, 1, 1, 2),
    );
    expect(result).toMatchObject({ auc: 0.5, members: 8, nonMembers: 8 });
  });

  it("gives the standard error of Hanley and McNeil", () => {
    // AUC ¾ from four members and four others: Q1 = 0.6, Q2 = 9/14, variance = 0.1875 + 3·0.0375 + 3·(9/14 − 9/16).
    const { auc: area, standardError } = lossMembership(
      Float64Array.of(1, 2, 3, 6),
      oneClass(4),
      Float64Array.of(2.5, 4, 5, 7),
      oneClass(4),
    );
    expect(area).toBe(0.75);
    const q1 = area / (2 - area);
    const q2 = (2 * area ** 2) / (1 + area);
    const variance = (area * (1 - area) + 3 * (q1 - area ** 2) + 3 * (q2 - area ** 2)) / 16;
    expect(standardError).toBeCloseTo(Math.sqrt(variance), 12);
    expect(standardError).toBeCloseTo(0.1839, 4);
  });
});
