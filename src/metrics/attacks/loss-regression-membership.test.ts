import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { mean } from "../statistics/summary.ts";
import { fitLogisticLine } from "./logistic-regression.ts";
import { lossRegressionMembership } from "./loss-regression-membership.ts";

const stream = randomStream(keyFromSeed("loss regression"));
const losses = (count: number, level: number): Float64Array =>
  Float64Array.from({ length: count }, () => level * Math.abs(stream.normal()));
const labels = (count: number): Int32Array => Int32Array.from({ length: count }, (_, row) => row % 2);

function attack(forgetLevel: number, holdoutLevel: number, seed = 1): number {
  return lossRegressionMembership({
    forgetLosses: losses(400, forgetLevel),
    forgetLabels: labels(400),
    holdoutLosses: losses(600, holdoutLevel),
    holdoutLabels: labels(600),
    key: keyFromSeed(seed),
  }).accuracy;
}

describe("the loss attack of SCRUB", () => {
  it("tells remembered samples from new ones, and guesses where there is no difference", () => {
    expect(attack(0.1, 2)).toBeGreaterThan(0.85);
    expect(Math.abs(attack(1, 1) - 0.5)).toBeLessThan(0.1);
  });

  it("also sees losses that are far too large: forgetting overdone betrays as well", () => {
    expect(attack(9, 1)).toBeGreaterThan(0.8);
  });

  it("judges samples the line was not fitted to: chance is not taken for memory", () => {
    const found = Array.from({ length: 150 }, (_, seed) =>
      lossRegressionMembership({
        forgetLosses: losses(10, 1),
        forgetLabels: labels(10),
        holdoutLosses: losses(10, 1),
        holdoutLabels: labels(10),
        key: keyFromSeed(seed),
      }),
    );
    // A line judged on its own samples would be right in 60 % of them.
    expect(mean(found.map(({ accuracy }) => accuracy))).toBeLessThan(0.52);
  });

  it("clips losses, so that one ruined sample does not decide the line", () => {
    const forgetLosses = losses(200, 0.1);
    forgetLosses[0] = 1e7;
    const input = {
      forgetLosses,
      forgetLabels: labels(200),
      holdoutLosses: losses(200, 2),
      holdoutLabels: labels(200),
      key: keyFromSeed(1),
    };
    const clipped = lossRegressionMembership(input, { clip: 5 }).accuracy;
    expect(clipped).toBeGreaterThan(lossRegressionMembership(input, { clip: 1e9 }).accuracy + 0.2);
  });

  it("compares with the forgotten classes only", () => {
    const result = lossRegressionMembership({
      forgetLosses: losses(100, 1),
      forgetLabels: new Int32Array(100),
      holdoutLosses: Float64Array.of(...losses(50, 1), ...losses(50, 60)),
      holdoutLabels: Int32Array.from({ length: 100 }, (_, row) => Number(row >= 50)),
      key: keyFromSeed(2),
    });
    expect(result.perGroup).toBe(50);
    expect(result.accuracy).toBeLessThan(0.75);
  });

  it("refuses groups too small for its splits", () => {
    expect(() =>
      lossRegressionMembership({
        forgetLosses: losses(9, 1),
        forgetLabels: labels(9),
        holdoutLosses: losses(100, 1),
        holdoutLabels: labels(100),
        key: keyFromSeed(1),
      }),
    ).toThrow(/at least 10 `forget samples`.*got 9/);
  });

  it("fits a line even where a threshold separates the groups, and refuses one group", () => {
    const { weight, intercept } = fitLogisticLine([0, 1, 100, 101], [true, true, false, false]);
    expect(weight * 1 + intercept).toBeGreaterThan(0);
    expect(weight * 100 + intercept).toBeLessThan(0);
    expect(() => fitLogisticLine([1, 2], [true, true])).toThrow(/both classes/);
  });
});
