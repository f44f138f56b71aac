import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { mean } from "../../metrics/statistics/summary.ts";
import { measures } from "./index.ts";
import { fitLinearProbe } from "./linear-probe.ts";
import { membershipRanks } from "./membership-ranks.ts";

describe("membership ranks", () => {
  it("are the area under the curve within each class", () => {
    const suspects = { scores: Float64Array.of(3, 1, 5), labels: Int32Array.of(0, 0, 1) };
    const others = { scores: Float64Array.of(2, 1, 0, 9), labels: Int32Array.of(0, 0, 0, 1) };
    // Class 0: above all three; above one, equal to one. Class 1: below the only one.
    expect([...membershipRanks(suspects, others)]).toEqual([1, (1 + 1 / 2) / 3, 0]);
  });

  it("leave out suspects without peers", () => {
    const suspects = { scores: Float64Array.of(1, 2), labels: Int32Array.of(0, 1) };
    const others = { scores: Float64Array.of(0), labels: Int32Array.of(1) };
    expect([...membershipRanks(suspects, others)]).toEqual([1]);
  });

  it("are near one half for samples of one kind, and are not moved by classes of unlike difficulty", () => {
    const stream = randomStream(keyFromSeed(3));
    const draw = (count: number, share: number) => {
      const labels = Int32Array.from({ length: count }, (_, at) => (at < share * count ? 0 : 1));
      return { labels, scores: Float64Array.from(labels, (label) => 10 * label + stream.normal()) };
    };
    expect(Math.abs(mean(membershipRanks(draw(2000, 0.2), draw(2000, 0.8))) - 0.5)).toBeLessThan(0.04);
  });
});

describe("a linear probe", () => {
  const features = (rows: readonly (readonly number[])[]) => ({
    rows: Float32Array.from(rows.flat()),
    size: rows[0]?.length ?? 0,
  });

  it("recognises classes that a line divides, and not what it never saw apart", () => {
    const stream = randomStream(keyFromSeed(4));
    const labels = Int32Array.from({ length: 90 }, (_, at) => at % 3);
    const corners = [
      [4, 0, 0],
      [0, 4, 0],
      [0, 0, 4],
    ];
    const rows = Array.from(labels, (label) =>
      (corners[label] as number[]).map((x) => x + 0.3 * stream.normal()),
    );
    const probe = fitLinearProbe(features(rows), labels, 3);
    const wanted = Int32Array.of(0, 1, 2);
    expect([...probe.margins(features(corners), wanted)].every((margin) => margin > 0.7)).toBe(true);
    expect(
      [...probe.margins(features(corners), Int32Array.of(1, 2, 0))].every((margin) => margin < -0.7),
    ).toBe(true);
    expect(
      Math.abs(probe.margins(features([[4 / 3, 4 / 3, 4 / 3]]), Int32Array.of(0))[0] as number),
    ).toBeLessThan(0.1);
  });

  it("gives the class frequencies where features do not vary", () => {
    const rows = Array.from({ length: 4 }, () => [1, 1]);
    const probe = fitLinearProbe(features(rows), Int32Array.of(0, 0, 0, 1), 2);
    expect(probe.margins(features([[1, 1]]), Int32Array.of(0))[0]).toBeCloseTo(0.5, 12);
  });
});

it("every measure has an id of its own and says what either side means", () => {
  expect(new Set(measures.map(({ id }) => id)).size).toBe(measures.length);
  for (const { above, below, resolution } of measures) {
    expect(above).not.toBe(below);
    expect(resolution).toBeGreaterThan(0);
  }
});
