import { z } from "zod";
import { defineMethod } from "./define-method.ts";
import { dampened } from "./parts/dampening.ts";

/**
 * Shortens the weights on which the forget samples depend out of proportion, w ← min(λ·I/I_f, 1)·w where I_f > α·I, with the
 * importances I = (1/N)·Σ(∂CE/∂w)² over all training samples, prepared once, and I_f over the forget samples. No training, and no
 * retain sample is read on a request.
 *
 * Source: J. Foster, S. Schoepf, A. Brintrup, arXiv 2308.07707 (AAAI 2024), SSD. Departure: gradients are squared sample by sample, as
 * the paper defines them; the authors' code squares those of minibatches.
 */
export const selectiveSynapticDampening = defineMethod({
  id: "selective-synaptic-dampening",
  title: "Shortening weights that matter to the forget samples (SSD)",
  references: ["arXiv:2308.07707"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget"],
  guarantee: "None: nothing is trained, and nothing repairs what the kept samples lose.",
  avoidWhen: "The forget samples look like the others: then few weights are theirs alone.",
  isForLabels: true,
  config: z.strictObject({
    /**
     * Has to be below N/N_f, the largest I_f/I there can be, as I holds the forget samples' part: nothing is dampened else. The paper's
     * 10 is for classes of 5 % and less.
     */
    alpha: z.number().positive().default(5),
    lambda: z.number().positive().default(1),
  }),
  grid: { alpha: [2, 3, 10, 20], lambda: [0.1, 0.5] },
  async *prepare({ workbench, weights, training }) {
    yield { type: "phase", name: "Importances for all training samples", index: 0, of: 1 };
    return workbench.fisherDiagonalOf(weights, training);
  },
  async *run({ workbench, forget, weights, prepared }, config) {
    yield { type: "phase", name: "Importances for the forget samples", index: 0, of: 1 };
    const own = await workbench.fisherDiagonalOf(weights, forget);
    const result = dampened(weights, own, prepared ?? new Map(), config);
    return { weights: result.weights, details: { dampenedShare: result.share } };
  },
});
