import { describe, expect, it } from "vitest";
import { groupFairness } from "./group-fairness.ts";

describe("fairness between groups", () => {
  const groups = ["north", "north", "north", "north", "south", "south", "south", "south"];
  const labels = Int32Array.of(1, 1, 0, 0, 1, 1, 0, 0);

  it("finds the worst group and the largest difference of a rate", () => {
    const found = groupFairness(Int32Array.of(1, 1, 0, 0, 1, 0, 0, 0), labels, groups);
    expect(found.groups).toMatchObject([
      { group: "north", accuracy: 1, samples: 4 },
      { group: "south", accuracy: 0.75, samples: 4 },
    ]);
    expect(found).toMatchObject({ worst: 0.75, gap: 0.25, equalisedOdds: 0.5 });
    expect(found.groups[1]?.low as number).toBeLessThan(0.3);
  });

  it("sees equal accuracies whose errors fall on different sides", () => {
    const found = groupFairness(Int32Array.of(1, 0, 0, 0, 1, 1, 1, 0), labels, groups);
    expect(found.gap).toBe(0);
    expect(found.equalisedOdds).toBe(0.5);
  });

  it("sees equal hits whose misses go to different classes", () => {
    const three = Int32Array.of(0, 0, 1, 2, 0, 0, 1, 2);
    // The north takes class 0 for 1, the south for 2.
    const found = groupFairness(Int32Array.of(1, 1, 1, 2, 2, 2, 1, 2), three, groups);
    expect(found.gap).toBe(0);
    expect(found.equalisedOdds).toBeCloseTo(2 / 3, 12);
  });

  it("leaves out rates that a group has no samples for, and says when none can be compared", () => {
    const one = groupFairness(labels, labels, groups.fill("all"));
    expect(one).toMatchObject({ worst: 1, gap: 0, equalisedOdds: undefined });
    expect(() => groupFairness(labels, labels, ["all"])).toThrow(/one length/);
    expect(() => groupFairness(new Int32Array(0), new Int32Array(0), [])).toThrow(/at least 1/);
  });
});
