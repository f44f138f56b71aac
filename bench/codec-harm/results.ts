import { z } from "zod";

const measured = { accuracy: z.number(), attackSuccess: z.number() };

const pointSchema = z.strictObject({
  arm: z.string(),
  family: z.string(),
  rule: z.enum(["kronecker-response", "medu"]),
  /** Of all records, or of the sums. */
  bytes: z.number(),
  bitsPerParameter: z.number(),
  ...measured,
  /** ⟨e″, e′⟩/⟨e′, e′⟩, e′ what is removed with exact updates and e″ with coded ones. */
  gain: z.number(),
  /** ‖e″ − e′‖/‖e′‖. */
  relativeError: z.number(),
  /** ‖w″ − w*‖/‖w_T − w*‖, w* retrained. */
  parameterDistance: z.number(),
});

/** What `bench/codec-harm.ts` keeps of one federation. */
export const harmSchema = z.strictObject({
  id: z.string(),
  title: z.string(),
  parameters: z.number(),
  clients: z.number(),
  rounds: z.number(),
  alpha: z.number(),
  trained: z.strictObject(measured),
  retrained: z.strictObject(measured),
  points: z.array(pointSchema),
  commit: z.string(),
  machine: z.unknown(),
});

/** Everything measured of one federation. */
export type HarmDocument = z.output<typeof harmSchema>;

/** One codec and one rule. */
export type HarmPoint = z.output<typeof pointSchema>;
