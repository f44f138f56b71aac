import { layerNormalization, rmsNormalization } from "../../onnx/functions/index.ts";
import { batchNorm, batchNormWeights } from "../batch-norm.ts";
import { filled } from "../initializers.ts";
import type { Module } from "./module.ts";

/** Batch normalisation per channel, with running statistics. */
export function batchNormalized(name: string, channels: number): Module {
  return {
    weights: batchNormWeights(name, channels),
    apply: (x, { weightOf, mode, nextBuffers }) => batchNorm(x, name, weightOf, mode, nextBuffers),
  };
}

/** Added to variances and mean squares: PyTorch's default for layers, and the usual one for root mean squares. */
const EPSILON = { layer: 1e-5, rootMeanSquare: 1e-6 } as const;

/** Layer normalisation over the last axis. Source: Ba et al. (2016), arXiv 1607.06450. */
export function layerNormalized(name: string, width: number): Module {
  return {
    weights: [filled(`${name}.scale`, [width], 1), filled(`${name}.shift`, [width], 0)],
    apply: (x, { weightOf }) =>
      layerNormalization(x, weightOf(`${name}.scale`), weightOf(`${name}.shift`), EPSILON.layer),
  };
}

/** γ·x/√(mean x² + ε) over the last axis. Source: Zhang & Sennrich (2019), arXiv 1910.07467. */
export function rmsNormalized(name: string, width: number): Module {
  return {
    weights: [filled(`${name}.scale`, [width], 1)],
    apply: (x, { weightOf }) => rmsNormalization(x, weightOf(`${name}.scale`), EPSILON.rootMeanSquare),
  };
}
