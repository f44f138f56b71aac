import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import type { ScoredSamples } from "../scored-samples.ts";
import { membershipFeatures } from "./membership-features.ts";
import { fitSupportVectors } from "./support-vector-classifier.ts";
import { svcMembership } from "./svc-membership.ts";

const stream = randomStream(keyFromSeed("svc membership"));

/** Scores in which the true class leads by `lead`. */
function group(count: number, lead: number, classes = 3): ScoredSamples {
  const labels = Int32Array.from({ length: count }, (_, row) => row % classes);
  const logits = Float32Array.from({ length: count * classes }, (_, index) => {
    const row = Math.floor(index / classes);
    return (index % classes === labels[row] ? lead : 0) + stream.normal();
  });
  return { logits, labels, classes };
}

describe("MIA-efficacy", () => {
  const members = group(120, 7);
  const nonMembers = group(120, 2);
  const key = keyFromSeed(1);
  const efficacy = (forget: ScoredSamples) =>
    svcMembership({ members, nonMembers, forget, key }, ["confidence"]).confidence;

  it("is low for a model that still knows the forget set, and as on new data for one that does not", () => {
    const [known, unknown] = [efficacy(group(150, 7)), efficacy(group(150, 2))];
    expect(known).toBeLessThan(0.15);
    expect(unknown).toBeGreaterThan(0.7);
  });

  it("balances members and non-members by drawing, the same with the same key", () => {
    const many = group(300, 7);
    const forget = group(40, 4);
    const run = (seed: number) =>
      svcMembership({ members: many, nonMembers, forget, key: keyFromSeed(seed) }, ["entropy"]).entropy;
    expect(run(4)).toBe(run(4));
    expect(new Set([1, 2, 3, 4, 5, 6].map(run)).size).toBeGreaterThan(1);
  });
});

describe("membership features", () => {
  const samples = (labels: readonly number[]): ScoredSamples => ({
    logits: Float32Array.of(2, 0, -1, 2, 0, -1, 0, 1, 2),
    labels: Int32Array.from(labels),
    classes: 3,
  });

  it("modified entropy depends on the label: a confident wrong answer is far from a confident right one", () => {
    const [right, wrong] = membershipFeatures["modified-entropy"](samples([0, 2, 1]));
    expect(wrong as number).toBeGreaterThan(3 * (right as number));
  });

  it("the historical modified entropy cannot tell them apart, and changes with the company a sample is in", () => {
    const [right, wrong] = membershipFeatures["historical-modified-entropy"](samples([0, 2, 1]));
    expect(right).toBeCloseTo(wrong as number, 12);
    const [alone] = membershipFeatures["historical-modified-entropy"](samples([0, 0, 0]));
    expect(Math.abs((alone as number) - (right as number))).toBeGreaterThan(0.1);
  });

  it("stay finite for scores of ten thousand", () => {
    const extreme: ScoredSamples = {
      logits: Float32Array.of(1e4, -1e4, -1e4, 1e4),
      labels: Int32Array.of(0, 0),
      classes: 2,
    };
    for (const feature of Object.values(membershipFeatures))
      for (const value of feature(extreme)) expect(value).toSatisfy(Number.isFinite);
    expect(membershipFeatures["modified-entropy"](extreme)[1]).toBe(40_000);
  });
});

describe("support vectors", () => {
  it("separate what no line can: one class around another", () => {
    const angle = (index: number, of: number) => (2 * Math.PI * index) / of;
    const features = Float64Array.from({ length: 80 }, (_, at) => {
      const index = at >> 1;
      const radius = index < 20 ? 0.5 : 2;
      return radius * (at % 2 === 0 ? Math.cos(angle(index % 20, 20)) : Math.sin(angle(index % 20, 20)));
    });
    const inner = Array.from({ length: 40 }, (_, row) => row < 20);
    const decisions = fitSupportVectors(features, inner).decide(Float64Array.of(0, 0, 2, 0, 0, -2, 0.4, 0.3));
    expect([...decisions].map((decision) => decision > 0)).toEqual([true, false, false, true]);
  });

  it("finish for samples that all look alike, and call them by the larger class", () => {
    const decide = (positives: number) =>
      fitSupportVectors(
        new Float64Array(10),
        Array.from({ length: 10 }, (_, row) => row < positives),
      ).decide(Float64Array.of(0))[0] as number;
    expect(decide(7)).toBeGreaterThan(0);
    expect(decide(3)).toBeLessThan(0);
  });

  it("refuse one class only, and NaN", () => {
    expect(() => fitSupportVectors(Float64Array.of(1, 2), [true, true])).toThrow(/both classes/);
    expect(() => fitSupportVectors(Float64Array.of(1, Number.NaN), [true, false])).toThrow(/1 of 2/);
  });
});
