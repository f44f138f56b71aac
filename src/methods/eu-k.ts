import { deriveKey } from "../kernel/key.ts";
import { defineMethod } from "./define-method.ts";
import { withFreshLayers } from "./parts/fresh-layers.ts";
import { lastLayers, lastLayersSchema, trainLayers } from "./parts/last-layers.ts";

/**
 * Draws the last k layers anew and trains them on the retain samples, with all before them held: exact for these layers, given
 * what the held ones compute. With k of all layers it is retraining.
 *
 * Source: S. Goel et al., arXiv 2201.06640 (2022), EU-k.
 */
export const euK = defineMethod({
  id: "eu-k",
  title: "Retraining the last layers without the forget samples (EU-k)",
  references: ["arXiv:2201.06640"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["retain"],
  guarantee:
    "The last layers never saw the forget samples; the held ones did, and their features still tell them apart.",
  avoidWhen: "What the early layers learnt of the forget samples matters.",
  config: lastLayersSchema,
  grid: { layers: [2, 3], epochs: [5], learningRate: [0.005, 0.05] },
  async *run(request, config) {
    const { architecture, weights } = request;
    const key = deriveKey(request.key, "eu-k");
    const layers = lastLayers(architecture, config.layers);
    const start = withFreshLayers(architecture, weights, deriveKey(key, "layers"), layers);
    return yield* trainLayers(request, config, layers, start, key);
  },
});
