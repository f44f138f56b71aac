import { add, gemm, matmul } from "../../onnx/functions/index.ts";
import type { WeightSpec } from "../architecture.ts";
import { filled, heNormal } from "../initializers.ts";
import type { Module } from "./module.ts";

/** A linear map of the last axis. */
export interface DenseOptions {
  readonly inputs: number;
  readonly outputs: number;
  /** True when left out. */
  readonly bias?: boolean;
  /** How the weight starts: {@link heNormal} when left out, for a layer before or behind a ReLU. */
  readonly initial?: (name: string, shape: readonly number[], fanIn: number) => WeightSpec;
}

/** x ↦ xW + b, weight `NAME.weight` [inputs, outputs]; x has any axes before its last one. */
export function dense(name: string, options: DenseOptions): Module {
  const { inputs, outputs, bias = true, initial = heNormal } = options;
  return {
    weights: [
      initial(`${name}.weight`, [inputs, outputs], inputs),
      ...(bias ? [filled(`${name}.bias`, [outputs], 0)] : []),
    ],
    apply: (x, { weightOf }) => {
      const weight = weightOf(`${name}.weight`);
      const shift = bias ? weightOf(`${name}.bias`) : undefined;
      if (x.shape.length === 2) return gemm(x, weight, shift);
      const product = matmul(x, weight);
      return shift === undefined ? product : add(product, shift);
    },
  };
}
