import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { isOutside } from "./reference-band.ts";
import { traceBand, traceReferencesNeeded } from "./trace-band.ts";

const stream = randomStream(keyFromSeed(2));
const draw = (centre: number, spread: number, count: number): number[] =>
  Array.from({ length: count }, () => centre + spread * stream.normal());

describe("the band of a trace", () => {
  it("is half a trace wide where the two kinds of models are told apart there", () => {
    const band = traceBand([-0.1, 0.1, -0.1, 0.1], [0.9, 1.1, 0.9, 1.1], 0.01);
    expect(band).toMatchObject({ canTell: true, low: -0.5, high: 0.5 });
    expect(traceBand([-0.4, 0.4, -0.4, 0.4], [0.9, 1.1, 0.9, 1.1], 0.01).canTell).toBe(false);
  });

  it("puts few retrained models outside and few original ones inside, whatever the spread", () => {
    for (const spread of [0.05, 0.12, 0.3]) {
      let [failed, passed, told] = [0, 0, 0];
      const trials = 1000;
      for (let trial = 0; trial < trials; trial++) {
        const band = traceBand(draw(0, spread, 8), draw(1, spread, 8), 0.01);
        if (isOutside(draw(0, spread, 1)[0] as number, band)) failed++;
        if (!band.canTell) continue;
        told++;
        if (!isOutside(draw(1, spread, 1)[0] as number, band)) passed++;
      }
      // At most 1 % by design; four standard errors more.
      const most = (of: number): number => 0.01 * of + 4 * Math.sqrt(0.01 * Math.max(1, of));
      expect(failed).toBeLessThanOrEqual(most(trials));
      expect(passed).toBeLessThanOrEqual(most(told));
    }
  });

  it("names the references it would take, or none where the spread itself is too wide", () => {
    const without = [-0.14, 0.14, -0.14, 0.14];
    const within = [0.86, 1.14, 0.86, 1.14];
    const needed = traceReferencesNeeded(without, within, 0.01);
    expect(needed).toBeGreaterThan(4);
    expect(traceReferencesNeeded([-1, 1, -1, 1], within, 0.01)).toBeUndefined();
  });
});
