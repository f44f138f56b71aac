import { z } from "zod";
import { relu } from "../onnx/functions/index.ts";
import { dense } from "./modules/dense.ts";
import { tokenEmbedding } from "./modules/embedding.ts";
import { networkOf, sequence, stateless } from "./modules/module.ts";
import { meanOfTokens } from "./modules/position-pooling.ts";
import { defineModel } from "./ready-model.ts";
import { textSizes } from "./text-input.ts";

/** Wider than this is a typing error, not a model. */
const MAX_WIDTH = 4096;

/**
 * A text classifier that knows no order: the mean of the tokens' vectors, a hidden layer, class scores.
 * Source: Iyyer et al., "Deep unordered composition rivals syntactic methods" (2015), with one hidden layer.
 */
export const textMlp = defineModel({
  id: "text-mlp",
  title: "mean of token vectors and a hidden layer, for text; settings width=64, hidden=64",
  shorthand: "width",
  settings: z.strictObject({
    width: z.coerce.number().int().min(1).max(MAX_WIDTH).default(64),
    hidden: z.coerce.number().int().min(1).max(MAX_WIDTH).default(64),
  }),
  create: (sizes, { width, hidden }, id) => {
    const { vocabulary } = textSizes(sizes, id);
    const table = tokenEmbedding("tokens", { vocabulary, width, std: 1 });
    const rest = sequence(
      dense("fc1", { inputs: width, outputs: hidden }),
      stateless(relu),
      dense("fc2", { inputs: hidden, outputs: sizes.classes }),
    );
    return networkOf(
      { id, inputName: "ids", inputType: "int64", inputShape: sizes.inputShape, classes: sizes.classes },
      {
        weights: [...table.weights, ...rest.weights],
        apply: (ids, pass) => rest.apply(meanOfTokens(table.apply(ids, pass), ids), pass),
      },
    );
  },
});
