import { LetheError } from "../../kernel/errors.ts";
import { type Attributes, intsAttribute, stringAttribute } from "../../onnx/attributes.ts";
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
      const { sizes } = geometryOf(context.attributes, x, w);
      return [{ dtype: x.dtype, shape: [x.shape[0] ?? 1, knownSize(w, 1) * group, ...sizes] }];
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
  const auto = stringAttribute(attributes, "auto_pad", "NOTSET");
  if (auto.startsWith("SAME") || intsAttribute(attributes, "output_shape", undefined) !== undefined) {
    throw new LetheError(
      "data",
      "DATA_ATTRIBUTE",
      "Expected ConvTranspose with explicit `pads` and `output_padding`, got `auto_pad` SAME or `output_shape`.",
    );
  }
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
