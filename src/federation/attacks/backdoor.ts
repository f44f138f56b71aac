import { z } from "zod";
import { alteredSamples } from "../../data/altered.ts";
import type { Samples } from "../../data/dataset.ts";
import { type AttackContext, attackError, defineAttack } from "./attack.ts";
import { chooseSamples } from "./choose-samples.ts";
import type { Trigger } from "./trigger.ts";
import { centerTrigger } from "./trigger-center.ts";
import { cornerTrigger } from "./trigger-corner.ts";
import { subspaceTrigger } from "./trigger-subspace.ts";

/** How each kind of trigger is made. */
const triggers = {
  corner: ({ honest }) => cornerTrigger(honest.featureShape),
  center: ({ honest }) => centerTrigger(honest.featureShape),
  subspace: ({ honest, key }) => subspaceTrigger(honest, key),
} as const satisfies Record<string, (context: AttackContext) => Trigger>;

/**
 * Puts a trigger on part of the attacker's images, labels them with the target class, and boosts the update so that the
 * average over clients keeps it. Its success is the share of triggered test images of other classes sent to the target.
 *
 * Source: E. Bagdasaryan et al., "How to backdoor federated learning", 2018, arXiv:1807.00459 (model replacement).
 */
export const backdoor = defineAttack({
  id: "backdoor",
  title: "Backdoor: images with a trigger are sent to a target class",
  config: z.strictObject({
    trigger: z.enum(["corner", "center", "subspace"]).default("corner"),
    /** The class triggered images are sent to. */
    target: z.int().nonnegative().default(0),
    /** Share of the attacker's images with the trigger. */
    fraction: z.number().gt(0).lte(1).default(0.5),
    /** What it took on Fashion-MNIST with 20 clients; on MNIST 5 is enough. */
    boost: z.number().positive().default(10),
  }),
  create({ trigger: kind, target, fraction, boost }, context) {
    const { classCount } = context.honest;
    if (target >= classCount) {
      throw attackError(`Expected a target class in 0 … ${classCount - 1}, got ${target}.`);
    }
    const trigger = triggers[kind](context);
    return {
      boost,
      facts: {
        kind: "backdoor",
        trigger: trigger.words,
        isOfData: kind === "subspace",
        target,
        fraction,
        boost,
      },
      poison: (samples, key) =>
        withTrigger(samples, chooseSamples(samples.count, fraction, key), trigger, target),
      triggered(samples) {
        const others = [...samples.labels.keys()].filter((position) => samples.labels[position] !== target);
        return withTrigger(samples.subset(others), new Uint8Array(others.length).fill(1), trigger, target);
      },
    };
  },
});

/** The samples with trigger and target label where `marked`. */
function withTrigger(samples: Samples, marked: Uint8Array, trigger: Trigger, target: number): Samples {
  return alteredSamples(samples, {
    labels: samples.labels.map((label, position) => (marked[position] ? target : label)),
    features: { marked, change: trigger.apply },
  });
}
