import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { attackOutcome } from "../statistics/roc.ts";
import { bavariaT } from "./bavaria-t.ts";
import { lira } from "./lira.ts";
import { rmia } from "./rmia.ts";
import type { ShadowMargins } from "./shadow-margins.ts";

const stream = randomStream(keyFromSeed("few shadows"));

/** Samples of differing difficulty and differing spread; `models` margins a side. */
function world(models: number, samples: number, spreadOf: () => number) {
  const isMember = Array.from({ length: samples }, (_, index) => index % 2 === 0);
  const traits = isMember.map(() => ({ centre: 3 * stream.normal(), spread: spreadOf() }));
  const margin = (sample: number, isIn: boolean): number => {
    const { centre, spread } = traits[sample] as (typeof traits)[number];
    return centre + (isIn ? 1.5 : 0) + spread * stream.normal();
  };
  const side = (isIn: boolean) =>
    traits.map((_, sample) => Float64Array.from({ length: models }, () => margin(sample, isIn)));
  const shadows: ShadowMargins = { inside: side(true), outside: side(false) };
  return { target: Float64Array.from(isMember, (isIn, sample) => margin(sample, isIn)), isMember, shadows };
}

describe("BaVarIA-t", () => {
  it("beats both variances of LiRA with four shadow models a side on samples of differing spread", () => {
    const { target, isMember, shadows } = world(4, 4000, () => 0.2 + 2 * stream.uniform() ** 3);
    const auc = (scores: Float64Array) => attackOutcome(scores, isMember).auc;
    const ours = auc(bavariaT(target, shadows));
    expect(ours).toBeGreaterThan(auc(lira(target, shadows, { variance: "pooled" })));
    expect(ours).toBeGreaterThan(auc(lira(target, shadows, { variance: "per-sample" })));
  });

  it("comes to the pooled attack where all samples spread alike", () => {
    const { target, isMember, shadows } = world(8, 3000, () => 1);
    const ours = attackOutcome(bavariaT(target, shadows), isMember).auc;
    expect(ours).toBeCloseTo(attackOutcome(lira(target, shadows), isMember).auc, 2);
  });

  it("is the difference of two predictive densities, Gaussian where variances do not differ", () => {
    const shadows = {
      inside: [Float64Array.of(1, 3), Float64Array.of(6, 8)],
      outside: [Float64Array.of(-1, 0, 1), Float64Array.of(4, 5, 6)],
    };
    // Variances 2 and 1; the mean of n margins adds 1/n of them.
    const normal = (x: number, mu: number, v: number) => -((x - mu) ** 2) / (2 * v) - Math.log(v) / 2;
    const [score] = bavariaT(Float64Array.of(2.5, 5), shadows);
    expect(score).toBeCloseTo(normal(2.5, 2, 2 * (3 / 2)) - normal(2.5, 0, 4 / 3), 4);
  });

  it("stays finite for identical shadow models and refuses a sample without one", () => {
    const same = Float64Array.of(1, 1);
    const [score] = bavariaT(Float64Array.of(3), { inside: [same], outside: [same] });
    expect(score).toBe(0);
    expect(() => bavariaT(Float64Array.of(3), { inside: [same], outside: [new Float64Array(0)] })).toThrow(
      /at least 1/,
    );
  });
});

describe("RMIA", () => {
  const probability = (margin: number): number => 1 / (1 + Math.exp(-margin));
  const { target, isMember, shadows } = world(2, 1500, () => 0.7);
  const samples = {
    target: target.map(probability),
    outside: shadows.outside.map((group) => group.map(probability)),
  };
  const newcomers = world(2, 1000, () => 0.7);
  const outsiders = isMember.flatMap((_, row) => (newcomers.isMember[row] === false ? [row] : []));
  const population = {
    target: Float64Array.from(outsiders, (row) => probability(newcomers.target[row] as number)),
    outside: outsiders.map((row) => (newcomers.shadows.outside[row] as Float64Array).map(probability)),
  };

  it("finds members with two reference models, where the plain probability hardly can", () => {
    const scores = rmia(samples, population, { offlineSlope: 1, dominance: 1 });
    const plain = attackOutcome(samples.target, isMember).auc;
    expect(attackOutcome(scores, isMember).auc).toBeGreaterThan(plain + 0.1);
    const inside = shadows.inside.map((group) => group.map(probability));
    const online = rmia({ ...samples, inside }, population, { offlineSlope: 1, dominance: 1 });
    expect(attackOutcome(online, isMember).auc).toBeGreaterThan(plain + 0.1);
  });

  it("is the share of population samples whose ratio is beaten γ-fold", () => {
    const one = (p: number, reference: number) => ({ target: Float64Array.of(p), outside: [[reference]] });
    const z = { target: Float64Array.of(0.5, 0.5, 0.5), outside: [[0.5], [0.25], [1]] };
    // Ratios of z: 1, 2, ½; of x: 2, which is just twice 1, and four times ½.
    expect(rmia(one(0.5, 0.25), z, { offlineSlope: 1, dominance: 2 })[0]).toBeCloseTo(2 / 3, 12);
    expect(rmia(one(0.5, 0.25), z, { offlineSlope: 1, dominance: 1 })[0]).toBe(1);
    // ½((1 + 0.5)·0.5 + 1 − 0.5) = 0.625 for every reference of one half.
    const half = { target: Float64Array.of(0.625), outside: [[0.5]] };
    expect(rmia(one(0.625, 0.5), half, { offlineSlope: 0.5, dominance: 1 })[0]).toBe(1);
  });

  it("refuses logits and samples without a reference model", () => {
    expect(() => rmia({ target: Float64Array.of(3), outside: [[0.5]] }, population)).toThrow(/not logits/);
    expect(() => rmia({ target: Float64Array.of(0.3), outside: [[]] }, population)).toThrow(
      /reference models/,
    );
  });
});
