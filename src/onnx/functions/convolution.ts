import { int, ints, text } from "../attributes.ts";
import type { Value } from "../ir.ts";

/** How a window of spatial size k moves over its input; one number per spatial axis. */
export interface WindowOptions {
  readonly strides?: readonly number[];
  /** Zeros before each spatial axis, then after each. */
  readonly pads?: readonly number[];
  readonly dilations?: readonly number[];
}

/** Options of {@link conv}. */
export interface ConvOptions extends WindowOptions {
  readonly group?: number;
}

/** Cross-correlation: x [batch, C, …], w [M, C/group, k…], bias [M] → [batch, M, …]. */
export const conv = (x: Value, w: Value, bias?: Value, options: ConvOptions = {}): Value =>
  x.graph.apply("Conv", bias === undefined ? [x, w] : [x, w, bias], {
    ...windowAttributes(options),
    ...(options.group === undefined || options.group === 1 ? {} : { group: int(options.group) }),
  });

/** Options of {@link convTranspose}. */
export interface ConvTransposeOptions extends ConvOptions {
  readonly outputPadding?: readonly number[];
}

/** The transpose of {@link conv} as a linear map: x [batch, M, …], w [M, C/group, k…] → [batch, C, …]. */
export const convTranspose = (x: Value, w: Value, options: ConvTransposeOptions = {}): Value =>
  x.graph.apply("ConvTranspose", [x, w], {
    ...windowAttributes(options),
    ...(options.group === undefined || options.group === 1 ? {} : { group: int(options.group) }),
    ...(options.outputPadding === undefined ? {} : { output_padding: ints(options.outputPadding) }),
  });

/** The largest element of each window. Cheaper before a ReLU than behind it, with the same result. */
export const maxPool = (x: Value, kernel: readonly number[], options: WindowOptions = {}): Value =>
  x.graph.apply("MaxPool", [x], { kernel_shape: ints(kernel), ...windowAttributes(options) });

/** The mean of each window. */
export const averagePool = (
  x: Value,
  kernel: readonly number[],
  options: WindowOptions & { readonly countIncludePad?: boolean } = {},
): Value =>
  x.graph.apply("AveragePool", [x], {
    kernel_shape: ints(kernel),
    ...windowAttributes(options),
    ...(options.countIncludePad ? { count_include_pad: int(1) } : {}),
  });

/** The mean over all spatial axes, kept as size 1. */
export const globalAveragePool = (x: Value): Value => x.graph.apply("GlobalAveragePool", [x]);

/** The largest element over all spatial axes, kept as size 1. */
export const globalMaxPool = (x: Value): Value => x.graph.apply("GlobalMaxPool", [x]);

/** Every element repeated `factors[i]` times along spatial axis i (nearest neighbour). */
export const repeatSpatial = (x: Value, factors: readonly number[]): Value => {
  const scales = [1, 1, ...factors];
  return x.graph.apply(
    "Resize",
    [
      x,
      undefined,
      x.graph.constant({ dtype: "float32", shape: [scales.length], data: Float32Array.from(scales) }),
    ],
    {
      mode: text("nearest"),
      coordinate_transformation_mode: text("asymmetric"),
      nearest_mode: text("floor"),
    },
  );
};

function windowAttributes(options: WindowOptions) {
  return {
    ...(options.strides === undefined ? {} : { strides: ints(options.strides) }),
    ...(options.pads === undefined ? {} : { pads: ints(options.pads) }),
    ...(options.dilations === undefined ? {} : { dilations: ints(options.dilations) }),
  };
}
