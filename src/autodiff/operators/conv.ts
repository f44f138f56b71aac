import { LetheError } from "../../kernel/errors.ts";
import { type Attributes, numberAttribute } from "../../onnx/attributes.ts";
import { conv, convTranspose, reduceSum, reshape, slice, transpose } from "../../onnx/functions/index.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { formatShape } from "../../onnx/shape.ts";
import { filterGradient } from "./filter-gradient.ts";
import { knownSize, spatialSizes } from "./known.ts";
import { inputOf } from "./rule.ts";
import {
  explicitPads,
  fitted,
  padsItself,
  type Window,
  windowCounts,
  windowExtent,
  windowOf,
  windowOptions,
} from "./window.ts";

/** Cross-correlation y[n, m, o] = Σ x[n, c, o·stride + k·dilation − before]·w[m, c, k] + b[m], in any number of dimensions. */
export const convOperators: readonly Operator[] = [
  {
    type: "Conv",
    infer: (context) => {
      const [x, w] = [inputOf(context, 0), inputOf(context, 1)];
      const sizes = spatialSizes(x);
      const group = groupOf(context.attributes);
      const outputs = knownSize(w, 0);
      requireChannels(x, w, knownSize(x, 1), knownSize(w, 1) * group, group);
      requireBias(context.inputs[2], outputs);
      const window = windowOf(context.attributes, spatialSizes(w), sizes);
      return [{ dtype: x.dtype, shape: [x.shape[0] ?? 1, outputs, ...windowCounts(window, sizes)] }];
    },
    lower: (context) => {
      if (!padsItself(context.attributes)) return undefined;
      const [x, w] = [inputOf(context, 0), inputOf(context, 1)];
      const window = windowOf(context.attributes, spatialSizes(w), spatialSizes(x));
      return [x.graph.apply("Conv", context.inputs, explicitPads(context.attributes, window))];
    },
    gradient: ({ node, inputs, gradients: [dy], wanted }) => {
      const [x, w] = inputs as [Value, Value];
      if (dy === undefined) return [];
      const group = groupOf(node.attributes);
      const sizes = spatialSizes(x);
      const window = windowOf(node.attributes, spatialSizes(w), sizes);
      return [
        wanted[0] ? inputGradient(dy, w, window, sizes, group) : undefined,
        wanted[1] ? filterGradient(x, dy, window, group) : undefined,
        wanted[2] ? biasGradient(dy) : undefined,
      ];
    },
  },
];

/** The attribute `group`, checked. */
export function groupOf(attributes: Attributes): number {
  const group = numberAttribute(attributes, "group", 1);
  if (Number.isSafeInteger(group) && group >= 1) return group;
  throw new LetheError("data", "DATA_ATTRIBUTE", `Expected group ≥ 1, got ${group}.`);
}

/** Checks that a filter has the channels its input has, and that both divide into groups. */
export function requireChannels(x: Value, w: Value, got: number, expected: number, group: number): void {
  if (x.shape.length === w.shape.length && got === expected && knownSize(w, 0) % group === 0) return;
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected a filter that fits its input in ${group} group(s), got input ${formatShape(x.shape)} and ` +
      `filter ${formatShape(w.shape)}.`,
  );
}

/** Checks that a bias, where there is one, has a number for every output channel. */
export function requireBias(bias: Value | undefined, channels: number): void {
  if (bias === undefined || (bias.shape.length === 1 && bias.shape[0] === channels)) return;
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected a bias of shape [${channels}], got ${formatShape(bias.shape)}.`,
  );
}

/** ∂loss/∂bias: ȳ summed over all but the channels. */
export function biasGradient(dy: Value): Value {
  return reduceSum(dy, { axes: dy.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis])) });
}

/**
 * The gradient with respect to the input, as the transposed convolution of ȳ. With unit strides that is also an ordinary
 * convolution with the filter turned round, which is faster (by 12 to 70 %) unless it has fewer channels to write than to
 * read.
 */
function inputGradient(dy: Value, w: Value, window: Window, sizes: readonly number[], group: number): Value {
  const { kernel, strides, dilations, before } = window;
  const reach = fitted(window, sizes, spatialSizes(dy)).after;
  const [outputs, inputs] = [knownSize(w, 0), knownSize(w, 1) * group];
  const margin = (padding: readonly number[]): number[] =>
    padding.map((count, axis) => windowExtent(window, axis) - 1 - count);
  const pads = [...margin(before), ...margin(reach)];
  const isCheaper = outputs <= inputs || kernel.every((size) => size === 1);
  if (isCheaper && strides.every((stride) => stride === 1) && pads.every((count) => count >= 0)) {
    return conv(dy, turned(w, group), undefined, { pads, dilations, group });
  }
  // What the windows do not reach behind the last one gets zeros: the padding left out, and output_padding beyond it.
  const outputPadding = reach.map((count, axis) => (window.after[axis] as number) - count);
  return convTranspose(dy, w, { ...windowOptions(window), group, outputPadding });
}

/** The filter of the transposed map: kernel reversed along every axis, inputs and outputs exchanged within each group. */
function turned(w: Value, group: number): Value {
  const kernel = spatialSizes(w);
  const reversed = slice(
    w,
    kernel.flatMap((size, axis) =>
      size === 1 ? [] : [{ axis: axis + 2, start: -1, end: -(size + 1), step: -1 }],
    ),
  );
  const [outputs, inputs] = [knownSize(w, 0) / group, knownSize(w, 1)];
  const split = reshape(reversed, [group, outputs, inputs, ...kernel]);
  const exchanged = transpose(split, [0, 2, 1, ...kernel.map((_, axis) => axis + 3)]);
  return reshape(exchanged, [group * inputs, outputs, ...kernel]);
}
