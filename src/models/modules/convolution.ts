import { conv } from "../../onnx/functions/index.ts";
import { filled, heNormal } from "../initializers.ts";
import type { Module } from "./module.ts";

/** A square convolution. */
export interface ConvolutionOptions {
  readonly inputs: number;
  readonly outputs: number;
  /** Side of the window. */
  readonly kernel: number;
  readonly stride?: number;
  /** Zeros around the image, on every side. */
  readonly padding?: number;
  /** False where a normalisation follows, which would take a bias off again. */
  readonly bias: boolean;
}

/** Convolution of images [batch, inputs, height, width], weight `NAME.weight` [outputs, inputs, kernel, kernel]. */
export function convolution(name: string, options: ConvolutionOptions): Module {
  const { inputs, outputs, kernel, stride = 1, padding = 0, bias } = options;
  const fanIn = inputs * kernel * kernel;
  return {
    weights: [
      heNormal(`${name}.weight`, [outputs, inputs, kernel, kernel], fanIn),
      ...(bias ? [filled(`${name}.bias`, [outputs], 0)] : []),
    ],
    apply: (x, { weightOf }) =>
      conv(x, weightOf(`${name}.weight`), bias ? weightOf(`${name}.bias`) : undefined, {
        strides: [stride, stride],
        pads: [padding, padding, padding, padding],
      }),
  };
}
