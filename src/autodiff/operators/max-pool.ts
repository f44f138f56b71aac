import { type Attributes, int } from "../../onnx/attributes.ts";
import {
  averagePool,
  div,
  indicatorNonNegative,
  mul,
  pad,
  repeatSpatial,
  reshape,
  reshapeLike,
  scatterElements,
  slice,
  sub,
  zerosLike,
} from "../../onnx/functions/index.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { spatialSizes } from "./known.ts";
import { inputOf } from "./rule.ts";
import {
  explicitPads,
  kernelShapeOf,
  padsItself,
  tiles,
  type Window,
  windowCounts,
  windowOf,
} from "./window.ts";

/**
 * The largest element of each window.
 *
 * Put ReLU behind the pool, not before it: the result is the same, and both gradients then work on the smaller array.
 */
export const maxPoolOperators: readonly Operator[] = [
  {
    type: "MaxPool",
    infer: (context) => {
      const x = inputOf(context, 0);
      const sizes = spatialSizes(x);
      const window = windowOf(context.attributes, kernelShapeOf(context.attributes), sizes);
      const counts = windowCounts(window, sizes, context.attributes);
      const shape = [...x.shape.slice(0, 2), ...counts];
      const indices = { dtype: "int64", shape } as const;
      return [{ dtype: x.dtype, shape }, ...(context.outputCount > 1 ? [indices] : [])];
    },
    lower: (context) => {
      const { attributes, inputs, outputCount } = context;
      if (!padsItself(attributes)) return undefined;
      const x = inputOf(context, 0);
      const window = windowOf(attributes, kernelShapeOf(attributes), spatialSizes(x));
      return x.graph.emit("MaxPool", inputs, explicitPads(attributes, window), { outputCount });
    },
    gradient: ({ node, inputs, outputs, gradients: [dy] }) => {
      const [x] = inputs as [Value];
      const [y] = outputs as [Value];
      if (dy === undefined) return [];
      const sizes = spatialSizes(x);
      const window = windowOf(node.attributes, kernelShapeOf(node.attributes), sizes);
      const isExact = windowCounts(window, sizes).every((count, axis) => count === spatialSizes(y)[axis]);
      return [
        tiles(window) && isExact
          ? tiledGradient(x, y, dy, window)
          : scatteredGradient(node.attributes, x, dy),
      ];
    },
  },
];

/**
 * Windows that tile the input: the mask of the maxima is found by laying y over x again, in 0.5 of the time of indices and
 * scatter. Equal maxima share the gradient equally, since regions of one colour would otherwise count as many times as the
 * window has elements.
 */
function tiledGradient(x: Value, y: Value, dy: Value, window: Window): Value {
  const { kernel } = window;
  const sizes = spatialSizes(x);
  const covered = spatialSizes(y).map((count, axis) => count * (kernel[axis] as number));
  const rest = sizes.map((size, axis) => size - (covered[axis] as number));
  const ranges = covered.flatMap((end, axis) =>
    rest[axis] === 0 ? [] : [{ axis: axis + 2, start: 0, end }],
  );
  const attained = indicatorNonNegative(sub(slice(x, ranges), repeatSpatial(y, kernel)));
  const taps = kernel.reduce((product, size) => product * size, 1);
  const ties = mul(averagePool(attained, kernel, { strides: kernel }), taps);
  const gradient = mul(attained, repeatSpatial(div(dy, ties), kernel));
  const none = [0, 0, ...sizes.map(() => 0)];
  return pad(gradient, none, [0, 0, ...rest]);
}

/** Overlapping windows: the engine's indices of the maxima say where each window's gradient is added (the first of equals). */
function scatteredGradient(attributes: Attributes, x: Value, dy: Value): Value {
  const settings = { ...attributes, storage_order: int(0) };
  const [, indices] = x.graph.emit("MaxPool", [x], settings, { outputCount: 2 }) as [Value, Value];
  const flat = scatterElements(reshape(zerosLike(x), [-1]), reshape(indices, [-1]), reshape(dy, [-1]), {
    reduction: "add",
  });
  return reshapeLike(flat, x);
}
