import { type Attributes, numberAttribute } from "../../onnx/attributes.ts";
import { convTranspose, div, mul, pad, repeatSpatial } from "../../onnx/functions/index.ts";
import type { GradientContext, Operator, Value } from "../../onnx/ir.ts";
import { tensorOfNumbers } from "../../onnx/tensor.ts";
import { knownSize, spatialSizes } from "./known.ts";
import { inputOf } from "./rule.ts";
import {
  explicitPads,
  fitted,
  kernelShapeOf,
  padsItself,
  tiles,
  type Window,
  windowCounts,
  windowOf,
} from "./window.ts";
import { windowOfOnes, windowSum } from "./window-sum.ts";

/** The mean of each window: over the elements inside the input, or with `count_include_pad` over the padding too. */
export const averagePoolOperators: readonly Operator[] = [
  {
    type: "AveragePool",
    infer: (context) => {
      const x = inputOf(context, 0);
      const sizes = spatialSizes(x);
      const window = windowOf(context.attributes, kernelShapeOf(context.attributes), sizes);
      const counts = windowCounts(window, sizes, context.attributes);
      return [{ dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...counts] }];
    },
    lower: (context) => {
      const x = inputOf(context, 0);
      const sizes = spatialSizes(x);
      const window = windowOf(context.attributes, kernelShapeOf(context.attributes), sizes);
      if (padsItself(context.attributes)) {
        return [x.graph.apply("AveragePool", [x], explicitPads(context.attributes, window))];
      }
      // Windows with gaps came with opset 19.
      if (window.dilations.every((dilation) => dilation === 1)) return undefined;
      const counts = windowCounts(window, sizes, context.attributes);
      return [div(windowSum(x, window, counts), windowSizes(x, context.attributes, window, counts))];
    },
    gradient: (context) => {
      const [dy] = context.gradients;
      return [dy && gradientOf(context, context.inputs[0] as Value, dy)];
    },
  },
];

/** ȳ divided by the elements of its window and given to each of them. */
function gradientOf({ node }: GradientContext, x: Value, dy: Value): Value {
  const sizes = spatialSizes(x);
  const counts = spatialSizes(dy);
  const declared = windowOf(node.attributes, kernelShapeOf(node.attributes), sizes);
  const window = fitted(declared, sizes, counts);
  const { kernel } = window;
  const reach = window.after;
  if (tiles(declared) && reach.every((count) => count <= 0)) {
    const taps = kernel.reduce((product, size) => product * size, 1);
    const none = [0, 0, ...sizes.map(() => 0)];
    return pad(repeatSpatial(mul(dy, 1 / taps), kernel), none, [0, 0, ...reach.map((count) => -count)]);
  }
  const shares = div(dy, windowSizes(x, node.attributes, declared, counts));
  const channels = knownSize(x, 1);
  return convTranspose(shares, windowOfOnes(x, window, channels), {
    strides: window.strides,
    pads: [...window.before, ...reach.map((count) => Math.max(0, count))],
    outputPadding: reach.map((count) => Math.max(0, -count)),
    group: channels,
  });
}

/** How many elements each window averages: a constant [1, 1, counts…]. */
function windowSizes(x: Value, attributes: Attributes, window: Window, counts: readonly number[]): Value {
  const includesPadding = numberAttribute(attributes, "count_include_pad", 0) !== 0;
  const sizes = spatialSizes(x);
  const perAxis = counts.map((count, axis) => {
    const before = window.before[axis] as number;
    const low = includesPadding ? 0 : before;
    const high = before + (sizes[axis] as number) + (includesPadding ? (window.after[axis] as number) : 0);
    return Array.from({ length: count }, (_, index) => {
      const start = index * (window.strides[axis] as number);
      const step = window.dilations[axis] as number;
      const taps = Array.from({ length: window.kernel[axis] as number }, (_, tap) => start + tap * step);
      return taps.filter((place) => place >= low && place < high).length;
    });
  });
  const products = perAxis.reduce<number[]>(
    (all, axis) => all.flatMap((product) => axis.map((size) => product * size)),
    [1],
  );
  return x.graph.constant(tensorOfNumbers(x.dtype, [1, 1, ...counts], products), "window_sizes");
}
