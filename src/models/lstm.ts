import { z } from "zod";
import { lecunUniform } from "./initializers.ts";
import { dense } from "./modules/dense.ts";
import { tokenEmbedding } from "./modules/embedding.ts";
import { lstmLayer } from "./modules/lstm-layer.ts";
import { networkOf, sequence } from "./modules/module.ts";
import { lastPosition, meanOfTokens } from "./modules/position-pooling.ts";
import { defineModel } from "./ready-model.ts";
import { textSizes } from "./text-input.ts";

/** Wider than this is a typing error, not a model. */
const MAX_WIDTH = 4096;

/**
 * A text classifier: embedding, one or two layers of long short-term memory, the mean over tokens or the last state, one dense
 * layer. With `pooling=last` samples have their padding in front.
 */
export const lstm = defineModel({
  id: "lstm",
  title: "long short-term memory for text; settings hidden=128, width=64, layers=1, pooling=mean (or last)",
  shorthand: "hidden",
  settings: z.strictObject({
    hidden: z.coerce.number().int().min(1).max(MAX_WIDTH).default(128),
    width: z.coerce.number().int().min(1).max(MAX_WIDTH).default(64),
    layers: z.coerce.number().int().min(1).max(2).default(1),
    pooling: z.enum(["mean", "last"]).default("mean"),
  }),
  create: (sizes, { hidden, width, layers, pooling }, id) => {
    const { vocabulary } = textSizes(sizes, id);
    const body = sequence(
      // PyTorch's start of embeddings.
      tokenEmbedding("tokens", { vocabulary, width, std: 1 }),
      ...Array.from({ length: layers }, (_, layer) =>
        lstmLayer(`lstm${layer + 1}`, { inputs: layer === 0 ? width : hidden, hidden }),
      ),
    );
    const head = dense("head", { inputs: hidden, outputs: sizes.classes, initial: lecunUniform });
    const pool = pooling === "mean" ? meanOfTokens : lastPosition;
    return networkOf(
      { id, inputName: "ids", inputType: "int64", inputShape: sizes.inputShape, classes: sizes.classes },
      {
        weights: [...body.weights, ...head.weights],
        apply: (ids, pass) => head.apply(pool(body.apply(ids, pass), ids), pass),
      },
    );
  },
});
