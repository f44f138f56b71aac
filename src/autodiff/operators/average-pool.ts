import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import { convTranspose, div, mul, pad, repeatSpatial } from "../../onnx/functions/index.ts";
import type { GradientContext, GraphBuilder, Operator, Value } from "../../onnx/ir.ts";
import { type DType, tensorOfNumbers } from "../../onnx/tensor.ts";
import { knownSize, spatialSizes } from "./known.ts";
import { inputOf } from "./rule.ts";
import { fitted, kernelShapeOf, tiles, type Window, windowCounts, windowOf } from "./window.ts";

/** The mean of each window: over the elements inside the input, or with `count_include_pad` over the padding too. */
export const averagePoolOperators: readonly Operator[] = [
  {
    type: "AveragePool",
    infer: (context) => {
      const x = inputOf(context, 0);
      const sizes = spatialSizes(x);
      const window = windowOf(context.attributes, kernelShapeOf(context.attributes), sizes);
      if (window.dilations.some((dilation) => dilation !== 1)) {
        throw new LetheError(
          "data",
          "DATA_ATTRIBUTE",
          `Expected AveragePool without dilations, which came with opset 19, got [${window.dilations}].`,
        );
      }
      const counts = windowCounts(window, sizes, context.attributes);
      return [{ dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...counts] }];
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
  const includesPadding = numberAttribute(node.attributes, "count_include_pad", 0) !== 0;
  const shares = div(dy, windowSizes(x.graph, x.dtype, declared, sizes, counts, includesPadding));
  const channels = knownSize(x, 1);
  const ones = tensorOfNumbers(x.dtype, [channels, 1, ...kernel], onesOf(channels, kernel));
  return convTranspose(shares, x.graph.constant(ones, "window"), {
    strides: window.strides,
    pads: [...window.before, ...reach.map((count) => Math.max(0, count))],
    outputPadding: reach.map((count) => Math.max(0, -count)),
    group: channels,
  });
}

/** How many elements each window averages: a constant [1, 1, counts…]. */
function windowSizes(
  graph: GraphBuilder,
  dtype: DType,
  window: Window,
  sizes: readonly number[],
  counts: readonly number[],
  includesPadding: boolean,
): Value {
  const perAxis = counts.map((count, axis) => {
    const before = window.before[axis] as number;
    const low = includesPadding ? 0 : before;
    const high = before + (sizes[axis] as number) + (includesPadding ? (window.after[axis] as number) : 0);
    return Array.from({ length: count }, (_, index) => {
      const start = index * (window.strides[axis] as number);
      return Math.min(start + (window.kernel[axis] as number), high) - Math.max(start, low);
    });
  });
  const products = perAxis.reduce<number[]>(
    (all, axis) => all.flatMap((product) => axis.map((size) => product * size)),
    [1],
  );
  return graph.constant(tensorOfNumbers(dtype, [1, 1, ...counts], products), "window_sizes");
}

function onesOf(channels: number, kernel: readonly number[]): number[] {
  return new Array<number>(kernel.reduce((product, size) => product * size, channels)).fill(1);
}
