import { add, lstmSteps, matmul, transpose } from "../../onnx/functions/index.ts";
import { filled, uniform } from "../initializers.ts";
import type { Module } from "./module.ts";

/** Sizes of a layer. */
export interface LstmLayerOptions {
  readonly inputs: number;
  readonly hidden: number;
}

/**
 * A layer of long short-term memory over [batch, positions, inputs] → [batch, positions, hidden], unrolled:
 * cₜ = σ(f)⊙cₜ₋₁ + σ(i)⊙tanh(g), hₜ = σ(o)⊙tanh(cₜ), (i, f, o, g) = xₜW + hₜ₋₁U + b, h₀ = c₀ = 0.
 * The products xₜW of all positions are one.
 *
 * Source: Hochreiter & Schmidhuber (1997), with the forget gate of Gers et al. (2000). Gates are ordered so that the three
 * sigmoids are one node; the two biases other libraries keep are one.
 */
export function lstmLayer(name: string, { inputs, hidden }: LstmLayerOptions): Module {
  const bound = 1 / Math.sqrt(hidden);
  return {
    weights: [
      uniform(`${name}.input.weight`, [inputs, 4 * hidden], bound),
      uniform(`${name}.hidden.weight`, [hidden, 4 * hidden], bound),
      filled(`${name}.bias`, [4 * hidden], 0),
    ],
    apply: (x, { weightOf }) => {
      const byStep = transpose(x, [1, 0, 2]); // [positions, batch, inputs]
      const entering = add(matmul(byStep, weightOf(`${name}.input.weight`)), weightOf(`${name}.bias`));
      return transpose(lstmSteps(entering, weightOf(`${name}.hidden.weight`)).outputs, [1, 0, 2]);
    },
  };
}
