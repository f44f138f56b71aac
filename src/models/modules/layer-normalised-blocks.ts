import type { transformerNormal } from "../transformer-settings.ts";
import { attention } from "./attention.ts";
import { feedForward } from "./feed-forward.ts";
import type { Module } from "./module.ts";
import { layerNormalized } from "./normalization.ts";
import { transformerBlock } from "./transformer-block.ts";

/** The hidden layer is four times as wide as a position's vector, as in both papers. */
const EXPANSION = 4;

/**
 * The body of GPT-2 and of the vision transformer: blocks with layer normalisation, biases and a plain feed-forward layer.
 *
 * @param causal - whether a position sees those before it alone
 */
export function layerNormalisedBlocks(options: {
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
  readonly positions: number;
  readonly causal: boolean;
  readonly start: ReturnType<typeof transformerNormal>;
}): readonly Module[] {
  const { depth, width, heads, positions, causal } = options;
  const { initial, residualInitial } = options.start;
  const starts = { width, bias: true, initial, residualInitial };
  return Array.from({ length: depth }, (_, index) => {
    const name = `block${index + 1}`;
    return transformerBlock({
      norm1: layerNormalized(`${name}.norm1`, width),
      attention: attention(`${name}.attention`, { ...starts, heads, positions, causal, rotary: false }),
      norm2: layerNormalized(`${name}.norm2`, width),
      feedForward: feedForward(`${name}.mlp`, { ...starts, hidden: EXPANSION * width }),
    });
  });
}
