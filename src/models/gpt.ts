import { z } from "zod";
import { attention } from "./modules/attention.ts";
import { dense } from "./modules/dense.ts";
import { tokenEmbedding } from "./modules/embedding.ts";
import { gatedFeedForward } from "./modules/feed-forward.ts";
import { networkOf, sequence } from "./modules/module.ts";
import { rmsNormalized } from "./modules/normalization.ts";
import { transformerBlock } from "./modules/transformer-block.ts";
import { defineModel } from "./ready-model.ts";
import { languageModelFacts, textSizes } from "./text-input.ts";
import { attentionSizes, requireWholeHeads, transformerNormal } from "./transformer-settings.ts";

/** The gated hidden layer has 8/3 of the width, so that its three matrices have the parameters of two of 4; in whole eights. */
const EXPANSION = 8 / 3;
const HIDDEN_MULTIPLE = 8;

/**
 * A decoder language model of the present form: root-mean-square normalisation, rotary positions, grouped-query attention, gated
 * feed-forward layers, no biases. It scores the next token at every position.
 *
 * Source: Touvron et al., "Llama 2" (2023), arXiv 2307.09288, section 2.2.
 */
export const gpt = defineModel({
  id: "gpt",
  title:
    "language model (rotary, grouped queries, SwiGLU); settings width=128, depth=4, heads=4, keyHeads=2; trains with adamw",
  settings: z.strictObject({
    ...attentionSizes({ width: 128, depth: 4, heads: 4 }),
    keyHeads: z.coerce.number().int().min(1).default(2),
  }),
  create: (sizes, settings, id) => {
    const { width, depth, heads, keyHeads } = settings;
    const { positions, vocabulary } = textSizes(sizes, id);
    requireWholeHeads(id, { ...settings, isRotary: true });
    const { initial, std, residualInitial } = transformerNormal(depth);
    const hidden = HIDDEN_MULTIPLE * Math.ceil((EXPANSION * width) / HIDDEN_MULTIPLE);
    const blocks = Array.from({ length: depth }, (_, index) => {
      const name = `block${index + 1}`;
      const starts = { width, bias: false, initial, residualInitial };
      return transformerBlock({
        norm1: rmsNormalized(`${name}.norm1`, width),
        attention: attention(`${name}.attention`, {
          ...starts,
          heads,
          keyHeads,
          positions,
          causal: true,
          rotary: true,
        }),
        norm2: rmsNormalized(`${name}.norm2`, width),
        feedForward: gatedFeedForward(`${name}.mlp`, { ...starts, hidden }),
      });
    });
    return networkOf(
      languageModelFacts(id, sizes, vocabulary),
      sequence(
        tokenEmbedding("tokens", { vocabulary, width, std }),
        ...blocks,
        rmsNormalized("norm", width),
        dense("head", { inputs: width, outputs: vocabulary, bias: false, initial }),
      ),
    );
  },
});
