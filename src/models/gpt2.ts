import { z } from "zod";
import { matmul, transposeLast } from "../onnx/functions/index.ts";
import { positionEmbedding, tokenEmbedding } from "./modules/embedding.ts";
import { layerNormalisedBlocks } from "./modules/layer-normalised-blocks.ts";
import { networkOf, sequence } from "./modules/module.ts";
import { layerNormalized } from "./modules/normalization.ts";
import { defineModel } from "./ready-model.ts";
import { languageModelFacts, textSizes } from "./text-input.ts";
import { attentionSizes, requireWholeHeads, transformerNormal } from "./transformer-settings.ts";

/**
 * A decoder language model of the form of GPT-2: layer normalisation, learned positions, GELU, and scores by the token table
 * itself. It scores the next token at every position.
 *
 * Source: Radford et al., "Language models are unsupervised multitask learners" (2019). Departures: no dropout, GELU itself and
 * not its approximation by tanh.
 */
export const gpt2 = defineModel({
  id: "gpt2",
  title: "language model of GPT-2's form; settings width=128, depth=4, heads=4; trains with adamw",
  settings: z.strictObject(attentionSizes({ width: 128, depth: 4, heads: 4 })),
  create: (sizes, settings, id) => {
    const { width, depth, heads } = settings;
    const { positions, vocabulary } = textSizes(sizes, id);
    requireWholeHeads(id, settings);
    const start = transformerNormal(depth);
    const { std } = start;
    const blocks = layerNormalisedBlocks({ depth, width, heads, positions, causal: true, start });
    return networkOf(
      languageModelFacts(id, sizes, vocabulary),
      sequence(
        tokenEmbedding("tokens", { vocabulary, width, std }),
        positionEmbedding("positions", { positions, width, std }),
        ...blocks,
        layerNormalized("norm", width),
        { weights: [], apply: (x, { weightOf }) => matmul(x, transposeLast(weightOf("tokens.weight"))) },
      ),
    );
  },
});
