import { z } from "zod";
import { alteredSamples } from "../../data/altered.ts";
import type { Samples } from "../../data/dataset.ts";
import { defineAttack } from "./attack.ts";
import { chooseSamples } from "./choose-samples.ts";

/** Trains on y + 1 in place of y. Its success is the share of test samples answered with the next class. */
export const labelflip = defineAttack({
  id: "labelflip",
  title: "Label flip: every class is taught as the next one",
  config: z.strictObject({
    /** Share of the attacker's samples with a wrong label. */
    fraction: z.number().gt(0).lte(1).default(1),
    /** As in the runs the unlearning rules were measured on. */
    boost: z.number().positive().default(5),
  }),
  create: ({ fraction, boost }) => ({
    boost,
    facts: { kind: "labelflip", fraction, boost },
    poison: (samples, key) => withNextLabels(samples, chooseSamples(samples.count, fraction, key)),
    triggered: (samples) => withNextLabels(samples, new Uint8Array(samples.count).fill(1)),
  }),
});

/** y → (y + 1) mod classCount where `marked`. */
function withNextLabels(samples: Samples, marked: Uint8Array): Samples {
  const labels = samples.labels.map((label, position) =>
    marked[position] ? (label + 1) % samples.classCount : label,
  );
  return alteredSamples(samples, { labels });
}
