import { LetheError } from "../../kernel/errors.ts";
import { type Attributes, ints, intsAttribute, stringAttribute } from "../../onnx/attributes.ts";
import { conv } from "../../onnx/functions/index.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { biasGradient, groupOf, requireBias, requireChannels } from "./conv.ts";
import { filterGradient } from "./filter-gradient.ts";
import { knownSize, spatialSizes } from "./known.ts";
import { inputOf } from "./rule.ts";
import { type Window, windowExtent, windowOf, windowOptions } from "./window.ts";

/**
 * The transpose of a convolution as a linear map, x [batch, M, …] with w [M, C/group, k…] → y [batch, C, …]. Its gradients
 * are those of the convolution with x and ȳ in exchanged roles.
 */
export const convTransposeOperators: readonly Operator[] = [
  {
    type: "ConvTranspose",
    infer: (context) => {
      const [x, w] = [inputOf(context, 0), inputOf(context, 1)];
      const group = groupOf(context.attributes);
      requireChannels(x, w, knownSize(x, 1), knownSize(w, 0), group);
      requireBias(context.inputs[2], knownSize(w, 1) * group);
      const settled = settledPadding(context.attributes, spatialSizes(x), spatialSizes(w));
      const { sizes } = geometryOf(settled ?? context.attributes, x, w);
      return [{ dtype: x.dtype, shape: [x.shape[0] ?? 1, knownSize(w, 1) * group, ...sizes] }];
    },
    lower: (context) => {
      const { attributes, inputs } = context;
      const [x, w] = [inputOf(context, 0), inputOf(context, 1)];
      const settled = settledPadding(attributes, spatialSizes(x), spatialSizes(w));
      return settled && [x.graph.apply("ConvTranspose", inputs, settled)];
    },
    gradient: ({ node, inputs, gradients: [dy], wanted }) => {
      const [x, w] = inputs as [Value, Value];
      if (dy === undefined) return [];
      const group = groupOf(node.attributes);
      const { window } = geometryOf(node.attributes, x, w);
      return [
        wanted[0] ? conv(dy, w, undefined, { ...windowOptions(window), group }) : undefined,
        wanted[1] ? filterGradient(dy, x, window, group) : undefined,
        wanted[2] ? biasGradient(dy) : undefined,
      ];
    },
  },
];

/** The output's spatial sizes, (count − 1)·stride + output_padding + extent − pads, and the window that maps them back. */
function geometryOf(
  attributes: Attributes,
  x: Value,
  w: Value,
): { window: Window; sizes: readonly number[] } {
  const counts = spatialSizes(x);
  const window = windowOf(attributes, spatialSizes(w), counts);
  const none = counts.map(() => 0);
  const outputPadding = intsAttribute(attributes, "output_padding", none);
  const sizes = counts.map((count, axis) => {
    const stride = window.strides[axis] as number;
    const added = outputPadding[axis] ?? Number.NaN;
    const cut = (window.before[axis] as number) + (window.after[axis] as number);
    const size = (count - 1) * stride + added + windowExtent(window, axis) - cut;
    if (added >= 0 && added < stride && size >= 1) return size;
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected an output of size ≥ 1 and 0 ≤ output_padding < stride along spatial axis ${axis}, got size ${size}, ` +
        `output_padding [${outputPadding}] and strides [${window.strides}].`,
    );
  });
  return { window, sizes };
}

/**
 * The attributes with explicit padding in place of `output_shape` or `auto_pad`, or `undefined` when it is explicit already. An
 * output larger than all windows together is padded behind.
 */
function settledPadding(
  attributes: Attributes,
  counts: readonly number[],
  kernel: readonly number[],
): Attributes | undefined {
  const { auto_pad: _, output_shape: __, pads: ___, output_padding: ____, ...others } = attributes;
  const auto = stringAttribute(attributes, "auto_pad", "NOTSET");
  const window = windowOf(others, kernel, counts);
  const shape = intsAttribute(attributes, "output_shape", undefined);
  const isSame = auto.startsWith("SAME");
  if (shape === undefined && !isSame)
    return auto === "NOTSET" ? undefined : { ...others, ...kept(attributes) };
  const added = intsAttribute(
    attributes,
    "output_padding",
    counts.map(() => 0),
  );
  const totals = counts.map((count, axis) => {
    const stride = window.strides[axis] as number;
    const size = shape === undefined ? count * stride : (shape[axis] ?? Number.NaN);
    return (count - 1) * stride + (added[axis] ?? 0) + windowExtent(window, axis) - size;
  });
  const cut = totals.map((total) => Math.max(total, 0));
  const [small, large] = [
    cut.map((total) => Math.floor(total / 2)),
    cut.map((total) => Math.ceil(total / 2)),
  ];
  return {
    ...others,
    pads: ints(auto === "SAME_UPPER" ? [...small, ...large] : [...large, ...small]),
    output_padding: ints(totals.map((total, axis) => (added[axis] ?? 0) + Math.max(-total, 0))),
  };
}

/** What VALID leaves of the padding: none is cut off, `output_padding` stays. */
function kept({ output_padding }: Attributes): Attributes {
  return output_padding === undefined ? {} : { output_padding };
}
