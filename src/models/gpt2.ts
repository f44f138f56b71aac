import { z } from "zod";
import { matmul, transposeLast } from "../onnx/functions/index.ts";
import { attention } from "./modules/attention.ts";
import { positionEmbedding, tokenEmbedding } from "./modules/embedding.ts";
import { feedForward } from "./modules/feed-forward.ts";
import { networkOf, sequence } from "./modules/module.ts";
import { layerNormalized } from "./modules/normalization.ts";
import { transformerBlock } from "./modules/transformer-block.ts";
import { defineModel } from "./ready-model.ts";
import { textSizes } from "./text-input.ts";
import { attentionSizes, requireWholeHeads, transformerNormal } from "./transformer-settings.ts";

/** The hidden layer is four times as wide as a position's vector. */
const EXPANSION = 4;

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
    const { initial, std, residualInitial } = transformerNormal(depth);
    const blocks = Array.from({ length: depth }, (_, index) => {
      const name = `block${index + 1}`;
      const starts = { width, bias: true, initial, residualInitial };
      return transformerBlock({
        norm1: layerNormalized(`${name}.norm1`, width),
        attention: attention(`${name}.attention`, {
          ...starts,
          heads,
          positions,
          causal: true,
          rotary: false,
        }),
        norm2: layerNormalized(`${name}.norm2`, width),
        feedForward: feedForward(`${name}.mlp`, { ...starts, hidden: EXPANSION * width }),
      });
    });
    return networkOf(
      {
        id,
        inputName: "ids",
        inputType: "int64",
        inputShape: sizes.inputShape,
        labelShape: sizes.inputShape,
        classes: vocabulary,
      },
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
