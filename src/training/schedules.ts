import { z } from "zod";

/** How the learning rate moves over a run; factors multiply the base rate. */
export const scheduleSchema = z.discriminatedUnion("id", [
  z.strictObject({ id: z.literal("constant") }),
  z.strictObject({ id: z.literal("linear"), end: z.number().min(0).default(0) }),
  z.strictObject({ id: z.literal("cosine"), end: z.number().min(0).default(0) }),
  z.strictObject({
    id: z.literal("step"),
    every: z.number().positive().max(1).describe("share of the run after which the rate falls, in (0, 1]"),
    factor: z.number().positive().default(0.1),
  }),
]);

/** A schedule with all its settings. */
export type Schedule = z.output<typeof scheduleSchema>;

/** What a quotient that should be whole may fall short by: 7 steps of 0.07·100 are one share, not 0.99…9. */
const ROUNDING = 1e-9;

/**
 * The factor on the base learning rate at a step.
 *
 * linear: 1 + (end − 1)·p · cosine: end + (1 − end)·(1 + cos πp)/2, with p = step/(total − 1), so that the last step has
 * `end` · step: factor^⌊step/(every·total)⌋.
 *
 * @param step - counted from 0
 * @param total - steps of the whole run
 */
export function learningRateFactor(schedule: Schedule, step: number, total: number): number {
  const progress = total <= 1 ? 0 : step / (total - 1);
  switch (schedule.id) {
    case "constant":
      return 1;
    case "linear":
      return 1 + (schedule.end - 1) * progress;
    case "cosine":
      return schedule.end + ((1 - schedule.end) * (1 + Math.cos(Math.PI * progress))) / 2;
    case "step":
      return schedule.factor ** Math.floor(step / (schedule.every * total) + ROUNDING);
    default:
      return schedule satisfies never;
  }
}
