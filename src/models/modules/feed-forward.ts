import { add, gelu, matmul, mul, silu, split } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import { type DenseOptions, dense } from "./dense.ts";
import { type Module, sequence, stateless } from "./module.ts";

/** Sizes and start of the two layers. */
export interface FeedForwardOptions {
  readonly width: number;
  readonly hidden: number;
  readonly bias: boolean;
  readonly initial: NonNullable<DenseOptions["initial"]>;
  /** How the second layer starts, whose result is added to the residual stream. */
  readonly residualInitial: NonNullable<DenseOptions["initial"]>;
}

/** x ↦ GELU(xW₁ + b₁)·W₂ + b₂. */
export function feedForward(name: string, options: FeedForwardOptions): Module {
  const { width, hidden, bias, initial, residualInitial } = options;
  return sequence(
    dense(`${name}.in`, { inputs: width, outputs: hidden, bias, initial }),
    stateless(gelu),
    dense(`${name}.out`, { inputs: hidden, outputs: width, bias, initial: residualInitial }),
  );
}

/**
 * x ↦ (SiLU(xW₁) ⊙ xW₃)·W₂; W₁ and W₃ side by side in `NAME.in.weight` [width, 2·hidden].
 * Source: Shazeer, "GLU variants improve transformer" (2020), arXiv 2002.05202, equation 6.
 */
export function gatedFeedForward(name: string, options: FeedForwardOptions): Module {
  const { width, hidden, bias, initial, residualInitial } = options;
  const inner = dense(`${name}.in`, { inputs: width, outputs: 2 * hidden, bias, initial });
  const halves = (value: Value): readonly [Value, Value] =>
    split(value, [hidden, hidden], -1) as [Value, Value];
  return sequence(
    {
      weights: inner.weights,
      // The weight is cut in two and not the product, which is larger by far.
      apply: (x, { weightOf }) => {
        const [gate, value] = halves(weightOf(`${name}.in.weight`)).map((weight) => matmul(x, weight)) as [
          Value,
          Value,
        ];
        if (!bias) return mul(silu(gate), value);
        const [first, second] = halves(weightOf(`${name}.in.bias`));
        return mul(silu(add(gate, first)), add(value, second));
      },
    },
    dense(`${name}.out`, { inputs: hidden, outputs: width, bias, initial: residualInitial }),
  );
}
