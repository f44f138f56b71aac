import { deriveKey } from "../kernel/key.ts";
import { defineMethod } from "./define-method.ts";
import { lastLayers, lastLayersSchema, trainLayers } from "./parts/last-layers.ts";

/**
 * Trains the last k layers on with the retain samples and holds all before them: catastrophic forgetting where it costs least.
 *
 * Source: S. Goel et al., arXiv 2201.06640 (2022), CF-k.
 */
export const cfK = defineMethod({
  id: "cf-k",
  title: "Training the last layers on without the forget samples (CF-k)",
  references: ["arXiv:2201.06640"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["retain"],
  guarantee: "None: the held layers keep what they learnt of the forget samples.",
  avoidWhen: "The forget samples have to be forgotten for certain.",
  config: lastLayersSchema,
  grid: { layers: [2, 3], learningRate: [0.005, 0.05] },
  async *run(request, config) {
    const layers = lastLayers(request.architecture, config.layers);
    return yield* trainLayers(request, config, layers, request.weights, deriveKey(request.key, "cf-k"));
  },
});
