import { z } from "zod";
import { deriveKey } from "../kernel/key.ts";
import { defineMethod } from "./define-method.ts";

/**
 * Trains a new model on the retain samples with the recipe of the first: the reference every other method is judged by.
 * Its key differs from the first training's, as that of any retraining would.
 */
export const retrain = defineMethod({
  id: "retrain",
  title: "Retraining without the forget samples",
  references: [],
  scope: ["class", "sample", "subject", "group"],
  needs: ["retain"],
  guarantee: "Exact: the forget samples are never read.",
  avoidWhen: "Its cost, that of the first training, is too high or the retain samples are gone.",
  config: z.strictObject({
    /** Epochs to train for; as many as the first training when left out. */
    epochs: z.int().min(1).optional(),
  }),
  async *run({ workbench, recipe, retain, key, resume, onCheckpoint, signal }, { epochs = recipe.epochs }) {
    const { weights } = yield* workbench.train(
      { ...recipe, epochs },
      {
        samples: retain,
        key: deriveKey(key, "retrain"),
        resume: resume?.state,
        onEpoch: (reached, epoch) =>
          onCheckpoint?.({ stage: 0, epoch: epoch + 1, state: reached, carried: new Map() }),
        signal,
      },
    );
    return { weights };
  },
});
