import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { predictionDivergence, zeroRetrainForgetting } from "./prediction-divergence.ts";
import type { ScoredSamples } from "./scored-samples.ts";

const scores = (logits: readonly number[]): ScoredSamples => ({
  logits: Float32Array.from(logits),
  labels: new Int32Array(logits.length / 2),
  classes: 2,
});
const logit = fc.integer({ min: -400, max: 400 }).map((value) => value / 4);

describe("divergence of predictions", () => {
  it("is what the formulas say, JS in bits and KL in nats from the reference", () => {
    const [p, q] = [1 / 4, 1 / 2];
    const found = predictionDivergence(
      scores([Math.log(p), Math.log(1 - p)]),
      scores([Math.log(q), Math.log(1 - q)]),
    );
    const entropy = (x: number) => -x * Math.log2(x) - (1 - x) * Math.log2(1 - x);
    expect(found.jensenShannon[0]).toBeCloseTo(entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2, 6);
    expect(found.kullbackLeibler[0]).toBeCloseTo(
      q * Math.log(q / p) + (1 - q) * Math.log((1 - q) / (1 - p)),
      6,
    );
  });

  it("is 0 for equal models, and 1 bit for certain models that disagree", () => {
    expect(predictionDivergence(scores([3, 1]), scores([3, 1])).meanJensenShannon).toBe(0);
    const opposed = predictionDivergence(scores([1e4, -1e4]), scores([-1e4, 1e4]));
    expect(opposed.meanJensenShannon).toBeCloseTo(1, 12);
    expect(opposed.meanKullbackLeibler).toBe(20_000);
  });

  it("JS is symmetric and in [0, 1] for any scores", () => {
    fc.assert(
      fc.property(
        fc.array(logit, { minLength: 2, maxLength: 2 }),
        fc.array(logit, { minLength: 2, maxLength: 2 }),
        (a, b) => {
          const ab = predictionDivergence(scores(a), scores(b)).meanJensenShannon;
          expect(ab).toBeCloseTo(predictionDivergence(scores(b), scores(a)).meanJensenShannon, 12);
          expect(ab).toBeGreaterThanOrEqual(0);
          expect(ab).toBeLessThanOrEqual(1 + 1e-12);
        },
      ),
    );
  });

  it("refuses models judged on different samples", () => {
    expect(() => predictionDivergence(scores([1, 2]), scores([1, 2, 3, 4]))).toThrow(/one length/);
  });
});

describe("ZRF", () => {
  it("is 1 for a model like the untrained one, however useless, and falls with certainty", () => {
    const untrained = scores([0, 0, 0, 0]);
    expect(zeroRetrainForgetting(untrained, untrained)).toBe(1);
    const unsure = zeroRetrainForgetting(scores([1, 0, 0, 1]), untrained);
    const sure = zeroRetrainForgetting(scores([9, 0, 0, 9]), untrained);
    expect(unsure).toBeLessThan(1);
    expect(sure).toBeLessThan(unsure);
  });
});
