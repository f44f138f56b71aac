import { sizeOf } from "../../kernel/layout.ts";
import { conv, pad } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import { tensorOfNumbers } from "../../onnx/tensor.ts";
import { knownSize, spatialSizes } from "./known.ts";
import { fitted, type Window } from "./window.ts";

/**
 * The sum of every window, zeros counted outside the input: a convolution of each channel with ones.
 *
 * @param x - [batch, channels, size…]
 * @param counts - how many windows along each axis
 * @returns [batch, channels, count…]
 */
export function windowSum(x: Value, window: Window, counts: readonly number[]): Value {
  const { after } = fitted(window, spatialSizes(x), counts);
  const none = [0, 0, ...counts.map(() => 0)];
  const reached = pad(x, none, [0, 0, ...after.map((count) => Math.min(count, 0))]);
  const channels = knownSize(x, 1);
  return conv(reached, windowOfOnes(x, window, channels), undefined, {
    strides: window.strides,
    dilations: window.dilations,
    pads: [...window.before, ...after.map((count) => Math.max(count, 0))],
    group: channels,
  });
}

/** The filter of a sum over each channel by itself, [channels, 1, kernel…]. */
export function windowOfOnes(x: Value, { kernel }: Window, channels: number): Value {
  const shape = [channels, 1, ...kernel];
  return x.graph.constant(
    tensorOfNumbers(x.dtype, shape, new Array<number>(sizeOf(shape)).fill(1)),
    "window",
  );
}
