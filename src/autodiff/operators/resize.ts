import { LetheError } from "../../kernel/errors.ts";
import {
  type Attributes,
  intsAttribute,
  numberAttribute,
  stringAttribute,
  text,
} from "../../onnx/attributes.ts";
import { add, averagePool, matmul, mul, reshape } from "../../onnx/functions/index.ts";
import type { InferContext, Operator, Value } from "../../onnx/ir.ts";
import { type Dim, formatShape, normalizeAxis, productOfDims } from "../../onnx/shape.ts";
import { numbersOf, tensorOfNumbers } from "../../onnx/tensor.ts";
import { composite } from "./composite.ts";
import { integersOf, knownSize } from "./known.ts";
import { type Resampling, resamplingMatrix } from "./resampling.ts";
import { inputOf } from "./rule.ts";

/**
 * Enlarging and shrinking by interpolation. Whole factors of the nearest neighbour, where every element becomes a block, are a
 * node; everything else is a product with a constant matrix along each axis, whose transpose is the gradient.
 */
export const resizeOperators: readonly Operator[] = [
  {
    type: "Resize",
    limits:
      "Scales, sizes and the region have to be known before the graph runs. Axes whose size has only a name keep it.",
    constantInputs: [1, 2, 3],
    infer: (context) => {
      const { dtype, shape } = inputOf(context, 0);
      const plan = planOf(context);
      return [{ dtype, shape: shape.map((dim, axis) => plan[axis]?.to ?? dim) }];
    },
    lower: (context) => {
      const plan = planOf(context);
      return isOfBlocks(plan) ? undefined : [resampled(context, plan)];
    },
    // Each block's gradients are summed: their mean times their number.
    gradient: ({ node, inputs, gradients: [dy] }) => {
      if (dy === undefined) return [];
      const context = { type: node.type, inputs, attributes: node.attributes, outputCount: 1 };
      const factors = planOf(context).map((axis) => (axis === undefined ? 1 : axis.to / axis.from));
      const kernel = factors.slice(2);
      const elements = kernel.reduce((product, factor) => product * factor, 1);
      return [mul(averagePool(dy, kernel, { strides: kernel }), elements)];
    },
  },
  // Its last form, which files of other converters still have.
  composite(
    "Upsample",
    (context) => {
      const [x, scales] = [inputOf(context, 0), inputOf(context, 1)];
      const mode = text(stringAttribute(context.attributes, "mode", "nearest"));
      return [
        x.graph.apply("Resize", [x, undefined, scales], {
          mode,
          coordinate_transformation_mode: text("asymmetric"),
          nearest_mode: text("floor"),
        }),
      ];
    },
    {
      constantInputs: [1],
      limits: "The standard dropped it with opset 10; read as a Resize where a file still has it.",
    },
  ),
];

/** What happens along every axis of x; `undefined` where nothing does. */
type Plan = readonly (Resampling | undefined)[];

const COORDINATES = [
  "half_pixel",
  "half_pixel_symmetric",
  "pytorch_half_pixel",
  "align_corners",
  "asymmetric",
  "tf_crop_and_resize",
];

function planOf(context: InferContext): Plan {
  const { attributes, inputs } = context;
  const x = inputOf(context, 0);
  const rank = x.shape.length;
  const every = x.shape.map((_, axis) => axis);
  const axes = intsAttribute(attributes, "axes", every).map((axis) => normalizeAxis(axis, rank));
  const coordinates = wordOf(attributes, "coordinate_transformation_mode", COORDINATES);
  const shared = {
    mode: wordOf(attributes, "mode", ["nearest", "linear", "cubic"]) as Resampling["mode"],
    coordinates,
    rounding: wordOf(attributes, "nearest_mode", [
      "round_prefer_floor",
      "round_prefer_ceil",
      "floor",
      "ceil",
    ]),
    cubic: numberAttribute(attributes, "cubic_coeff_a", -0.75),
    excludesOutside: numberAttribute(attributes, "exclude_outside", 0) !== 0,
    isAntialiased: numberAttribute(attributes, "antialias", 0) !== 0,
  };
  const isCrop = coordinates === "tf_crop_and_resize";
  const region = isCrop ? constantNumbers(inputs[1], 2 * axes.length) : undefined;
  const sizes = sizesOf(context, axes);
  const plan = new Array<Resampling | undefined>(rank).fill(undefined);
  axes.forEach((axis, index) => {
    const { to, scale } = sizes[index] as { to: Dim; scale: number };
    const crop = [region?.[index] ?? 0, region?.[index + axes.length] ?? 1] as const;
    if (to === x.shape[axis] && scale === 1 && crop[0] === 0 && crop[1] === 1) return;
    plan[axis] = { ...shared, from: knownSize(x, axis), to: Number(to), scale, crop };
  });
  return plan;
}

/**
 * The new size along each axis and its ratio to the old one, from `scales` (input 2) or `sizes` (input 3). A region does not
 * count in a size that follows from a scale: the standard's text multiplies by it, its implementations do not.
 */
function sizesOf(
  context: InferContext,
  axes: readonly number[],
): readonly { readonly to: Dim; readonly scale: number }[] {
  const { inputs, attributes } = context;
  const x = inputOf(context, 0);
  const hasScales = inputs[2] !== undefined && inputs[2].shape[0] !== 0;
  if (hasScales) {
    return constantNumbers(inputs[2], axes.length).map((scale, index) => {
      const axis = axes[index] as number;
      if (scale === 1) return { to: x.shape[axis] as Dim, scale };
      return { to: Math.floor(knownSize(x, axis) * scale), scale };
    });
  }
  const wanted = inputs[3]?.contents;
  if (wanted === undefined || wanted.length !== axes.length) throw unknownSizes(x, axes.length);
  const policy = wordOf(attributes, "keep_aspect_ratio_policy", ["stretch", "not_larger", "not_smaller"]);
  if (policy === "stretch") {
    return wanted.map((to, index) => {
      const axis = axes[index] as number;
      const scale = to === x.shape[axis] ? 1 : Number(to) / knownSize(x, axis);
      return { to, scale };
    });
  }
  const ratios = integersOf(inputs[3]).map((to, index) => to / knownSize(x, axes[index] as number));
  const scale = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  return axes.map((axis) => ({
    to: Math.floor(scale * knownSize(x, axis) + 0.5),
    scale: Math.fround(scale),
  }));
}

/** Whole factors along the spatial axes, and coordinates under which every element becomes a block of its own. */
function isOfBlocks(plan: Plan): boolean {
  const isBlock = (axis: Resampling | undefined, index: number): boolean => {
    if (axis === undefined) return true;
    const { mode, coordinates, rounding, from, to, scale } = axis;
    const isAligned =
      (coordinates === "asymmetric" && rounding === "floor") ||
      (coordinates === "half_pixel" && rounding.startsWith("round"));
    return index > 1 && mode === "nearest" && isAligned && to % from === 0 && scale === to / from;
  };
  return plan.length > 2 && plan.every(isBlock);
}

function resampled(context: InferContext, plan: Plan): Value {
  const x = inputOf(context, 0);
  const outside = numberAttribute(context.attributes, "extrapolation_value", 0);
  let y = x;
  let isInside = [true];
  plan.forEach((axis, index) => {
    if (axis === undefined) return;
    const matrix = resamplingMatrix(axis);
    const isCropped = axis.coordinates === "tf_crop_and_resize";
    const rows = matrix.rows.map((weight, at) =>
      isCropped && !matrix.isInside[Math.floor(at / axis.from)] ? 0 : weight,
    );
    y = along(y, index, axis, rows);
    if (isCropped) isInside = isInside.flatMap((inside) => matrix.isInside.map((also) => inside && also));
  });
  if (outside === 0 || isInside.every(Boolean)) return y;
  // The places that show nothing of x, over the resampled axes.
  const shape = plan.map((axis) => axis?.to ?? 1);
  const shown = isInside.map((inside) => (inside ? 0 : outside));
  return add(y, x.graph.constant(tensorOfNumbers(x.dtype, shape, shown)));
}

/** Σⱼ M[o, j]·x[…, j, …], a product of matrices over the axis and what lies behind it. */
function along(x: Value, axis: number, { from, to }: Resampling, rows: readonly number[]): Value {
  const rest = x.shape.slice(axis + 1);
  const lead = x.shape.slice(0, axis);
  if (rest.length === 0) {
    const transposed = Array.from(
      { length: from * to },
      (_, at) => rows[(at % to) * from + Math.floor(at / to)],
    );
    return matmul(
      x,
      x.graph.constant(tensorOfNumbers(x.dtype, [from, to], transposed as number[]), "resampling"),
    );
  }
  const matrix = x.graph.constant(tensorOfNumbers(x.dtype, [to, from], rows), "resampling");
  const merged = reshape(x, [...lead, from, productOfDims(rest)]);
  return reshape(matmul(matrix, merged), [...lead, to, ...rest]);
}

function wordOf(attributes: Attributes, name: string, known: readonly string[]): string {
  const word = stringAttribute(attributes, name, known[0] as string);
  if (known.includes(word)) return word;
  throw new LetheError(
    "data",
    "DATA_ATTRIBUTE",
    `Expected ${name} to be one of ${known.join(", ")}, got ${word}.`,
  );
}

function constantNumbers(value: Value | undefined, count: number): readonly number[] {
  const numbers = value?.constant && numbersOf(value.constant);
  if (numbers !== undefined && numbers.length === count) return numbers;
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected ${count} constant numbers, got ${value === undefined ? "none" : (numbers?.length ?? "computed ones")}.`,
  );
}

function unknownSizes(x: Value, count: number): LetheError {
  return new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected constant scales or sizes for ${count} axes of ${formatShape(x.shape)}, got neither.`,
  );
}
