import { shareSamples } from "../../src/audit/farm/shared-samples.ts";
import type { FarmHeader, TrainingJob } from "../../src/audit/farm/training-job.ts";
import { recipeSchema } from "../../src/training/recipe.ts";
import { blobs } from "../support/blobs.ts";

/** A farm whose models take a few milliseconds each. */
export const farmHeader: FarmHeader = {
  data: shareSamples(blobs({ count: 60, featureShape: [4], classes: 3, seed: 1 })),
  model: { kind: "ready", text: "mlp:8", sizes: { inputShape: [4], classes: 3 } },
  recipe: recipeSchema.parse({ epochs: 3, batchSize: 8 }),
};

/** More than are trained before a kill. */
export const farmJobs: readonly TrainingJob[] = Array.from({ length: 40 }, (_, seed) => ({
  subset: Uint32Array.from({ length: 50 }, (__, at) => at),
  seed,
}));
