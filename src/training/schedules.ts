import { z } from "zod";

/** What every schedule can begin with. */
const beginning = {
  warmUp: z
    .number()
    .min(0)
    .lt(1)
    .optional()
    .describe("share of the run in which the rate rises to the base rate; the schedule has the rest"),
} as const;

/** A share of the run strictly inside it. */
const share = z.number().gt(0).lt(1);

/** How the learning rate moves over a run; factors multiply the base rate. */
export const scheduleSchema = z.discriminatedUnion("id", [
  z.strictObject({ id: z.literal("constant"), ...beginning }),
  z.strictObject({ id: z.literal("linear"), ...beginning, end: z.number().min(0).default(0) }),
  z.strictObject({ id: z.literal("cosine"), ...beginning, end: z.number().min(0).default(0) }),
  z.strictObject({
    id: z.literal("milestones"),
    ...beginning,
    at: z
      .array(share)
      .min(1)
      .refine((shares) => shares.every((value, index) => index === 0 || value > Number(shares[index - 1])), {
        error: "expected rising shares",
      })
      .describe("shares of the run after which the rate falls"),
    factor: z.number().positive().default(0.1),
  }),
  z.strictObject({
    id: z.literal("one-cycle"),
    rise: share.default(0.3).describe("share of the run in which the rate rises to the base rate"),
    start: z
      .number()
      .gt(0)
      .max(1)
      .default(1 / 25)
      .describe("factor in the first step"),
    end: z
      .number()
      .min(0)
      .max(1)
      .default(1 / 250_000)
      .describe("factor in the last step"),
  }),
  z.strictObject({
    id: z.literal("step"),
    ...beginning,
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
 * `end` · step: factor^⌊step/(every·total)⌋ · milestones: factor^(shares at or behind) · one-cycle: half a cosine from `start`
 * up to 1, and half a cosine down to `end`. In the n steps of a warm-up the factor is (step + 1)/(n + 1).
 *
 * @param step - counted from 0
 * @param total - steps of the whole run
 * Sources: cosine: Loshchilov & Hutter (2016), arXiv 1608.03983; one-cycle: Smith & Topin (2017), arXiv 1708.07120; warm-up: Goyal et
 * al. (2017), arXiv 1706.02677.
 */
export function learningRateFactor(schedule: Schedule, step: number, total: number): number {
  const warmSteps = Math.round((("warmUp" in schedule && schedule.warmUp) || 0) * total);
  return step < warmSteps
    ? (step + 1) / (warmSteps + 1)
    : factorWithin(schedule, step - warmSteps, total - warmSteps);
}

function factorWithin(schedule: Schedule, step: number, total: number): number {
  const progress = total <= 1 ? 0 : step / (total - 1);
  switch (schedule.id) {
    case "constant":
      return 1;
    case "linear":
      return 1 + (schedule.end - 1) * progress;
    case "cosine":
      return alongCosine(1, schedule.end, progress);
    case "milestones":
      return schedule.factor ** schedule.at.filter((share) => step >= share * total - ROUNDING).length;
    case "one-cycle": {
      const peak = schedule.rise * total - 1;
      if (step <= peak) return alongCosine(schedule.start, 1, step / peak);
      return total <= 1 ? 1 : alongCosine(1, schedule.end, (step - peak) / (total - 1 - peak));
    }
    case "step":
      return schedule.factor ** Math.floor(step / (schedule.every * total) + ROUNDING);
    default:
      return schedule satisfies never;
  }
}

/** From one value to another along half a cosine, at a share in [0, 1] of the way. */
function alongCosine(from: number, to: number, progress: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * progress))) / 2;
}
