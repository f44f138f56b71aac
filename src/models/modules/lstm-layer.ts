import {
  add,
  concat,
  gemm,
  matmul,
  mul,
  sigmoid,
  split,
  squeeze,
  tanh,
  unsqueeze,
} from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import { filled, uniform } from "../initializers.ts";
import type { Module } from "./module.ts";

/** Sizes of a layer. */
export interface LstmLayerOptions {
  readonly inputs: number;
  readonly hidden: number;
  readonly positions: number;
}

/**
 * A layer of long short-term memory over [batch, positions, inputs] → [batch, positions, hidden], unrolled:
 * cₜ = σ(f)⊙cₜ₋₁ + σ(i)⊙tanh(g), hₜ = σ(o)⊙tanh(cₜ), (i, f, o, g) = xₜW + hₜ₋₁U + b, h₀ = c₀ = 0.
 * The products xₜW of all positions are one.
 *
 * Source: Hochreiter & Schmidhuber (1997), with the forget gate of Gers et al. (2000). Gates are ordered so that the three
 * sigmoids are one node; the two biases other libraries keep are one.
 */
export function lstmLayer(name: string, { inputs, hidden, positions }: LstmLayerOptions): Module {
  const bound = 1 / Math.sqrt(hidden);
  return {
    weights: [
      uniform(`${name}.input.weight`, [inputs, 4 * hidden], bound),
      uniform(`${name}.hidden.weight`, [hidden, 4 * hidden], bound),
      filled(`${name}.bias`, [4 * hidden], 0),
    ],
    apply: (x, { weightOf }) => {
      const projected = add(matmul(x, weightOf(`${name}.input.weight`)), weightOf(`${name}.bias`));
      const steps = split(projected, new Array<number>(positions).fill(1), 1);
      const recurrent = weightOf(`${name}.hidden.weight`);
      let state: { readonly h: Value; readonly c: Value } | undefined;
      const outputs = steps.map((step) => {
        const own = squeeze(step, [1]); // [batch, 4·hidden]
        const gates = state === undefined ? own : gemm(state.h, recurrent, own);
        const [opening, fresh] = split(gates, [3 * hidden, hidden], 1) as [Value, Value];
        const [i, f, o] = split(sigmoid(opening), [hidden, hidden, hidden], 1) as [Value, Value, Value];
        const entered = mul(i, tanh(fresh));
        const c = state === undefined ? entered : add(mul(f, state.c), entered);
        state = { h: mul(o, tanh(c)), c };
        return unsqueeze(state.h, [1]);
      });
      return concat(outputs, 1);
    },
  };
}
