import { type Module, sequence } from "./module.ts";
import { residual } from "./residual.ts";

/**
 * A pre-normalised transformer block: x ← x + attention(norm₁ x), x ← x + feedForward(norm₂ x).
 * Source: Xiong et al., "On layer normalization in the transformer architecture" (2020), arXiv 2002.04745.
 */
export function transformerBlock(parts: {
  readonly norm1: Module;
  readonly attention: Module;
  readonly norm2: Module;
  readonly feedForward: Module;
}): Module {
  return sequence(
    residual(sequence(parts.norm1, parts.attention)),
    residual(sequence(parts.norm2, parts.feedForward)),
  );
}
