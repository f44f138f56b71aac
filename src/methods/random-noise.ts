import { z } from "zod";
import { deriveKey, randomStream } from "../kernel/key.ts";
import { defineMethod } from "./define-method.ts";

/**
 * Adds noise to every parameter tensor, w′ = w + ρ·rms(w)·z with z ~ N(0, I): a control. It harms what the model knows of
 * everything alike, so a metric that looks at the forgotten samples alone may take it for forgetting.
 */
export const randomNoise = defineMethod({
  id: "random-noise",
  title: "Gaussian noise on the weights (control)",
  references: [],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget"],
  guarantee: "Forgets nothing in particular: every audit has to fail it.",
  avoidWhen: "Always: it is a control for audits.",
  config: z.strictObject({
    /** ρ: the noise's size as a share of each tensor's root mean square. */
    noise: z.number().positive().default(0.1),
  }),
  async *run({ architecture, weights, key }, { noise }) {
    yield {
      type: "notice",
      code: "CONTROL",
      message: "Noise is added to every parameter.",
      details: { noise },
    };
    const noisy = architecture.weights.map(({ name, role }) => {
      const values = (weights.get(name) as Float32Array).slice();
      if (role === "buffer") return [name, values] as const;
      const std = noise * Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
      const stream = randomStream(deriveKey(key, "noise", name));
      return [name, values.map((value) => value + std * stream.normal())] as const;
    });
    return { weights: new Map(noisy) };
  },
});
