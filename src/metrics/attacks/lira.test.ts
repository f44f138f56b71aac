import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { attackOutcome } from "../statistics/roc.ts";
import { lira } from "./lira.ts";
import { divideShadows } from "./shadow-margins.ts";

const stream = randomStream(keyFromSeed("lira"));

/** Margins of models on samples of very different difficulty; membership adds `effect`. */
function world(models: number, samples: number, effect: number) {
  const difficulty = Float64Array.from({ length: samples }, () => 4 * stream.normal());
  const included = Array.from({ length: models + 1 }, () =>
    Array.from({ length: samples }, () => stream.uniform() < 0.5),
  );
  const margins = included.map((line) =>
    Float64Array.from(
      line,
      (isIn, sample) => (difficulty[sample] as number) + (isIn ? effect : 0) + stream.normal(),
    ),
  );
  const [target, ...shadows] = margins as [Float64Array, ...Float64Array[]];
  const [isMember, ...isIncluded] = included as [boolean[], ...boolean[][]];
  return { target, isMember, shadows: divideShadows(shadows, isIncluded) };
}

describe("LiRA", () => {
  it("finds members that one threshold for all samples cannot", () => {
    const { target, isMember, shadows } = world(24, 1200, 2);
    const plain = attackOutcome(target, isMember);
    const online = attackOutcome(lira(target, shadows), isMember);
    const offline = attackOutcome(lira(target, shadows, { mode: "offline" }), isMember);
    expect(plain.auc).toBeLessThan(0.7);
    expect(online.auc).toBeGreaterThan(0.88);
    expect(offline.auc).toBeGreaterThan(0.85);
    expect(online.truePositiveRateAt1Percent as number).toBeGreaterThan(
      3 * (plain.truePositiveRateAt1Percent as number),
    );
  });

  it("guesses where membership leaves no trace", () => {
    const { target, isMember, shadows } = world(16, 1500, 0);
    expect(Math.abs(attackOutcome(lira(target, shadows), isMember).auc - 0.5)).toBeLessThan(0.05);
  });

  it("is better off with a pooled variance when shadow models are few", () => {
    const { target, isMember, shadows } = world(7, 1500, 1.5);
    const usable = shadows.inside.flatMap((inside, sample) =>
      inside.length > 1 && (shadows.outside[sample] as Float64Array).length > 1 ? [sample] : [],
    );
    const part = {
      inside: usable.map((sample) => shadows.inside[sample] as Float64Array),
      outside: usable.map((sample) => shadows.outside[sample] as Float64Array),
    };
    const auc = (variance: "pooled" | "per-sample") =>
      attackOutcome(
        lira(
          Float64Array.from(usable, (sample) => target[sample] as number),
          part,
          { variance },
        ),
        usable.map((sample) => isMember[sample] as boolean),
      ).auc;
    expect(auc("pooled")).toBeGreaterThan(auc("per-sample"));
  });

  it("is the difference of two log densities", () => {
    const shadows = { inside: [Float64Array.of(1, 3)], outside: [Float64Array.of(-1, 0, 1)] };
    const normal = (x: number, mu: number, v: number) => -((x - mu) ** 2) / (2 * v) - Math.log(v) / 2;
    const [score] = lira(Float64Array.of(2.5), shadows, { variance: "per-sample" });
    expect(score).toBeCloseTo(normal(2.5, 2, 2) - normal(2.5, 0, 1), 12);
  });

  it("stays finite when shadow models are identical, by the floor under the variance", () => {
    const same = Float64Array.of(1, 1);
    const [score] = lira(Float64Array.of(1.5), { inside: [same], outside: [same] });
    expect(score).toBe(0);
    const [apart] = lira(Float64Array.of(1.5), { inside: [Float64Array.of(2, 2)], outside: [same] });
    expect(apart).toSatisfy(Number.isFinite);
  });

  it("refuses a sample without a shadow model on one side, and too few for a variance", () => {
    const one = Float64Array.of(1);
    expect(() => lira(one, { inside: [new Float64Array(0)], outside: [one] })).toThrow(/at least 1/);
    expect(() => lira(one, { inside: [one], outside: [one] })).toThrow(/beyond the first/);
    expect(() => lira(one, { inside: [one, one], outside: [one] })).toThrow(/one length/);
  });
});
