import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { learningRateFactor, type Schedule, scheduleSchema } from "./schedules.ts";

const factors = (schedule: Schedule, total: number): number[] =>
  Array.from({ length: total }, (_, step) => learningRateFactor(schedule, step, total));

describe("the learning rate", () => {
  it("stays where the schedule is constant", () => {
    expect(factors({ id: "constant" }, 4)).toEqual([1, 1, 1, 1]);
  });

  it("falls in a line from the base rate in the first step to the end in the last", () => {
    expect(factors({ id: "linear", end: 0.2 }, 5)).toEqual(
      [1, 0.8, 0.6, 0.4, 0.2].map((x) => expect.closeTo(x, 12)),
    );
  });

  it("falls along half a cosine", () => {
    const expected = [0, 1, 2, 3, 4].map((k) => 0.1 + (0.9 * (1 + Math.cos((Math.PI * k) / 4))) / 2);
    expect(factors({ id: "cosine", end: 0.1 }, 5)).toEqual(expected.map((x) => expect.closeTo(x, 12)));
  });

  it("falls after each share of the run, and not once more in the last step", () => {
    expect(factors({ id: "step", every: 0.5, factor: 0.1 }, 10)).toEqual(
      [1, 1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.1].map((x) => expect.closeTo(x, 12)),
    );
    expect(factors({ id: "step", every: 0.1, factor: 0.5 }, 10)).toEqual(
      Array.from({ length: 10 }, (_, k) => expect.closeTo(0.5 ** k, 12)),
    );
    expect(factors({ id: "step", every: 1, factor: 0.1 }, 7)).toEqual(new Array(7).fill(1));
  });

  it("rises in a line to the base rate in a warm-up, and the schedule has the rest of the run", () => {
    expect(factors({ id: "linear", end: 0, warmUp: 0.3 }, 10)).toEqual(
      [0.25, 0.5, 0.75, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0].map((x) => expect.closeTo(x, 12)),
    );
    expect(factors({ id: "constant", warmUp: 0 }, 3)).toEqual([1, 1, 1]);
  });

  it("of one cycle is largest once and stays positive in runs of any length", () => {
    const cycle = scheduleSchema.parse({ id: "one-cycle" });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), (total) => {
        const found = factors(cycle, total);
        expect(found.every((factor) => factor > 0 && factor <= 1 + 1e-12)).toBe(true);
        const top = found.indexOf(Math.max(...found));
        found.slice(1).forEach((factor, at) => {
          if (at < top) expect(factor).toBeGreaterThanOrEqual(found[at] as number);
          else expect(factor).toBeLessThanOrEqual(found[at] as number);
        });
      }),
    );
  });

  it("is the base rate in a run of one step, and never grows or leaves [end, 1]", () => {
    const schedule = fc.oneof(
      fc.record({ id: fc.constant("linear" as const), end: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({ id: fc.constant("cosine" as const), end: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({
        id: fc.constant("step" as const),
        every: fc.double({ min: 0.01, max: 1, noNaN: true }),
        factor: fc.double({ min: 0.1, max: 1, noNaN: true }),
      }),
    );
    fc.assert(
      fc.property(schedule, fc.integer({ min: 1, max: 60 }), (settings, total) => {
        const found = factors(settings, total);
        expect(found[0]).toBe(1);
        const end = settings.id === "step" ? 0 : settings.end;
        found.slice(1).forEach((factor, index) => {
          expect(factor).toBeLessThanOrEqual((found[index] as number) + 1e-12);
          expect(factor).toBeGreaterThanOrEqual(end - 1e-12);
        });
      }),
    );
  });
});

describe("schedule settings", () => {
  it.each([
    ["a share of the run above one", { id: "step", every: 1.5 }],
    ["a share of nothing", { id: "step", every: 0 }],
    ["no share", { id: "step" }],
    ["a negative end", { id: "linear", end: -0.1 }],
    ["milestones that fall", { id: "milestones", at: [0.5, 0.3] }],
    ["no milestones", { id: "milestones", at: [] }],
    ["a warm-up without end", { id: "constant", warmUp: 1 }],
    ["a warm-up of a cycle, which has its own", { id: "one-cycle", warmUp: 0.1 }],
    ["an unknown name", { id: "exponential" }],
  ])("refuse %s", (_what, input) => {
    expect(scheduleSchema.safeParse(input).success).toBe(false);
  });
});
