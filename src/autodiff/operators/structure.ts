import { LetheError } from "../../kernel/errors.ts";
import { intsAttribute, numberAttribute, stringAttribute } from "../../onnx/attributes.ts";
import {
  expandLike,
  matmul,
  oneHot,
  pad,
  reshape,
  reshapeLike,
  scatterElements,
  slice,
  squeeze,
  sumTo,
  transpose,
  unsqueeze,
  zerosLike,
} from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/graph.ts";
import { knownContents } from "../../onnx/graph.ts";
import type { InferContext, Operator } from "../../onnx/operator.ts";
import { broadcastShapes, type Dim, isStatic, normalizeAxis, type Shape } from "../../onnx/shape.ts";
import { inputOf } from "./rule.ts";

/** Operators that move elements without changing them. */
export const structureOperators: readonly Operator[] = [
  {
    type: "Shape",
    isPiecewiseConstant: true,
    infer: (context) => {
      const x = inputOf(context, 0);
      return [{ dtype: "int64", shape: [x.shape.length], contents: x.shape }];
    },
  },
  {
    type: "Reshape",
    infer: (context) => [{ dtype: inputOf(context, 0).dtype, shape: reshapedShape(context) }],
    gradient: ({ inputs, gradients: [dy] }) => [dy && reshapeLike(dy, inputs[0] as Value)],
  },
  {
    type: "Flatten",
    infer: (context) => {
      const x = inputOf(context, 0);
      const axis = numberAttribute(context.attributes, "axis", 1);
      return [{ dtype: x.dtype, shape: [productOf(x.shape.slice(0, axis)), productOf(x.shape.slice(axis))] }];
    },
    gradient: ({ inputs, gradients: [dy] }) => [dy && reshapeLike(dy, inputs[0] as Value)],
  },
  {
    type: "Squeeze",
    infer: (context) => {
      const x = inputOf(context, 0);
      const axes =
        context.inputs[1] === undefined
          ? x.shape.flatMap((dim, axis) => (dim === 1 ? [axis] : []))
          : axesOf(context, x.shape.length);
      return [
        { dtype: x.dtype, shape: x.shape.filter((_, axis) => !axes.includes(axis)), contents: x.contents },
      ];
    },
    gradient: ({ inputs, gradients: [dy] }) => [dy && reshapeLike(dy, inputs[0] as Value)],
  },
  {
    type: "Unsqueeze",
    infer: (context) => {
      const x = inputOf(context, 0);
      const axes = axesOf(context, x.shape.length + (context.inputs[1]?.contents?.length ?? 0));
      const shape: Dim[] = [...x.shape];
      for (const axis of [...axes].sort((a, b) => a - b)) shape.splice(axis, 0, 1);
      return [{ dtype: x.dtype, shape, contents: x.contents }];
    },
    gradient: ({ inputs, gradients: [dy] }) => {
      const [, axes] = inputs as [Value, Value];
      return [dy && squeeze(dy, integersOf(axes))];
    },
  },
  {
    type: "Transpose",
    infer: (context) => {
      const x = inputOf(context, 0);
      const order = orderOf(context.attributes, x.shape.length);
      return [{ dtype: x.dtype, shape: order.map((axis) => x.shape[axis] as Dim) }];
    },
    gradient: ({ node, inputs, gradients: [dy] }) => {
      const order = orderOf(node.attributes, (inputs[0] as Value).shape.length);
      return [
        dy &&
          transpose(
            dy,
            order.map((_, axis) => order.indexOf(axis)),
          ),
      ];
    },
  },
  {
    type: "Expand",
    infer: (context) => {
      const x = inputOf(context, 0);
      return [{ dtype: x.dtype, shape: broadcastShapes(x.shape, contentsOf(context, 1)) }];
    },
    gradient: ({ inputs, gradients: [dy] }) => [dy && sumTo(dy, (inputs[0] as Value).shape)],
  },
  {
    type: "Concat",
    infer: (context) => {
      const values = context.inputs as readonly Value[];
      const first = inputOf(context, 0);
      const axis = normalizeAxis(numberAttribute(context.attributes, "axis", 0), first.shape.length);
      const total = values.map((value) => value.shape[axis] as Dim);
      const contents = values.every((value) => value.contents !== undefined && value.shape.length === 1)
        ? values.flatMap((value) => [...(value.contents as readonly Dim[])])
        : undefined;
      return [{ dtype: first.dtype, shape: first.shape.with(axis, sumOf(total)), contents }];
    },
    gradient: ({ node, inputs, gradients: [dy], wanted }) => {
      if (dy === undefined) return [];
      const values = inputs as readonly Value[];
      const axis = normalizeAxis(numberAttribute(node.attributes, "axis", 0), dy.shape.length);
      let start = 0;
      return values.map((value, index) => {
        const size = staticSize(value, axis);
        start += size;
        return wanted[index] ? slice(dy, [{ axis, start: start - size, end: start }]) : undefined;
      });
    },
  },
  {
    type: "Slice",
    infer: (context) => {
      const x = inputOf(context, 0);
      const ranges = sliceRanges(context.inputs);
      const shape: Dim[] = [...x.shape];
      for (const { axis, start, end, step } of ranges) {
        const size = x.shape[axis];
        if (typeof size === "string") {
          throw new LetheError(
            "data",
            "DATA_SHAPE",
            `Expected to slice an axis of known size, got \`${size}\`.`,
          );
        }
        shape[axis] = Math.max(
          0,
          Math.ceil((clampIndex(end, size ?? 0, step) - clampIndex(start, size ?? 0, step)) / step),
        );
      }
      const contents = x.contents && x.shape.length === 1 ? sliceContents(x.contents, ranges[0]) : undefined;
      return [{ dtype: x.dtype, shape, contents }];
    },
    // Zeros go back where elements were left out: between (steps), before and after; a negative step is reversed first.
    gradient: ({ inputs, gradients: [dy] }) => {
      const [x] = inputs as [Value];
      if (dy === undefined) return [];
      return [sliceRanges(inputs).reduce((gradient, range) => unslice(gradient, x, range), dy)];
    },
  },
  {
    type: "Pad",
    infer: (context) => {
      const x = inputOf(context, 0);
      const pads = padsOf(context.inputs, x.shape.length);
      return [
        {
          dtype: x.dtype,
          shape: x.shape.map((dim, axis) => {
            const added = (pads[axis] ?? 0) + (pads[axis + x.shape.length] ?? 0);
            return added === 0 ? dim : sumOf([dim, added]);
          }),
        },
      ];
    },
    gradient: ({ node, inputs, gradients: [dy] }) => {
      const [x] = inputs as [Value];
      if (dy === undefined) return [];
      const mode = stringAttribute(node.attributes, "mode", "constant");
      if (mode !== "constant") {
        throw new LetheError(
          "data",
          "DATA_NO_GRADIENT",
          `Expected Pad with mode constant, got ${mode} in node \`${node.name}\`.`,
        );
      }
      const pads = padsOf(inputs, x.shape.length);
      const rank = x.shape.length;
      const ranges = x.shape.flatMap((_, axis) => {
        const before = pads[axis] ?? 0;
        if (before === 0 && (pads[axis + rank] ?? 0) === 0) return [];
        return [{ axis, start: before, end: before + staticSize(x, axis) }];
      });
      return [slice(dy, ranges)];
    },
  },
  {
    type: "Gather",
    infer: (context) => {
      const [x, indices] = [inputOf(context, 0), inputOf(context, 1)];
      const axis = normalizeAxis(numberAttribute(context.attributes, "axis", 0), x.shape.length);
      const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
      const contents =
        x.contents && indices.contents && x.shape.length === 1
          ? indices.contents.map((index) => (x.contents as readonly Dim[]).at(Number(index)) as Dim)
          : undefined;
      return [{ dtype: x.dtype, shape, contents }];
    },
    gradient: ({ node, inputs, gradients: [dy] }) => {
      const [x, indices] = inputs as [Value, Value];
      const axis = normalizeAxis(numberAttribute(node.attributes, "axis", 0), x.shape.length);
      return [dy && gatherGradient(x, indices, dy, axis)];
    },
  },
  {
    type: "OneHot",
    isPiecewiseConstant: true,
    constantInputs: [1, 2],
    infer: (context) => {
      const [indices, depth, values] = [inputOf(context, 0), inputOf(context, 1), inputOf(context, 2)];
      const size = depth.contents?.[0];
      if (size === undefined)
        throw new LetheError("data", "DATA_SHAPE", "Expected a constant depth, got a computed one.");
      const axis = normalizeAxis(numberAttribute(context.attributes, "axis", -1), indices.shape.length + 1);
      const shape: Dim[] = [...indices.shape];
      shape.splice(axis, 0, size);
      return [{ dtype: values.dtype, shape }];
    },
  },
];

/** Up to this many rows a product with one-hot rows beats the scatter. */
const FEW_ROWS = 300;

/** ȳ added up in the rows it was read from. */
function gatherGradient(x: Value, indices: Value, dy: Value, axis: number): Value {
  const rank = indices.shape.length;
  const lead = x.shape.slice(0, axis);
  const rest = x.shape.slice(axis + 1);
  const rows = x.shape[axis] as Dim;
  const flat = reshape(indices, [-1]); // [reads]
  const merged = rank === 1 ? dy : reshape(dy, [...lead, -1, ...rest]); // [lead…, reads, rest…]
  if (axis === 0 && typeof rows === "number" && rows <= FEW_ROWS) {
    const picks = oneHot(flat, rows, dy.dtype, 0); // [rows, reads]
    const table = matmul(picks, reshape(merged, [merged.shape[0] as Dim, productOf(rest)]));
    return reshape(table, x.shape);
  }
  const aligned = unsqueeze(
    flat,
    merged.shape.flatMap((_, index) => (index === axis ? [] : [index])),
  );
  return scatterElements(zerosLike(x), expandLike(aligned, merged), merged, { axis, reduction: "add" });
}

/** Puts the slice of x given by one range back to x's size along that axis, zeros elsewhere. */
function unslice(gradient: Value, x: Value, range: SliceSettings): Value {
  const { axis, start, step } = range;
  const size = staticSize(x, axis);
  const count = staticSize(gradient, axis);
  const rank = gradient.shape.length;
  const only = (amount: number): number[] =>
    Array.from({ length: rank }, (_, index) => (index === axis ? amount : 0));
  const first = clampIndex(start, size, step);
  const stride = Math.abs(step);
  const ordered = step < 0 ? slice(gradient, [{ axis, start: -1, end: -(count + 1), step: -1 }]) : gradient;
  const lowest = step < 0 ? first + (count - 1) * step : first;
  const spread = stride === 1 ? ordered : dilate(ordered, axis, stride);
  const length = (count - 1) * stride + 1;
  return pad(spread, only(lowest), only(size - lowest - length));
}

/** Puts stride − 1 zeros between neighbours along an axis. */
function dilate(x: Value, axis: number, stride: number): Value {
  const count = staticSize(x, axis);
  const split = unsqueeze(x, [axis + 1]);
  const zeros = Array.from({ length: split.shape.length }, () => 0);
  const spread = pad(split, zeros, zeros.with(axis + 1, stride - 1));
  const merged = reshape(spread, x.shape.with(axis, count * stride));
  return slice(merged, [{ axis, start: 0, end: (count - 1) * stride + 1 }]);
}

interface SliceSettings {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

function sliceRanges(inputs: readonly (Value | undefined)[]): SliceSettings[] {
  const [x, starts, ends, axes, steps] = inputs as [
    Value,
    Value,
    Value,
    Value | undefined,
    Value | undefined,
  ];
  const first = integersOf(starts);
  const last = integersOf(ends);
  const along = axes === undefined ? first.map((_, index) => index) : integersOf(axes);
  const step = steps === undefined ? first.map(() => 1) : integersOf(steps);
  return first.map((start, index) => ({
    axis: normalizeAxis(along[index] as number, x.shape.length),
    start,
    end: last[index] as number,
    step: step[index] as number,
  }));
}

/** Slice's rule for out-of-range and negative positions. */
function clampIndex(index: number, size: number, step: number): number {
  const fromFront = index < 0 ? index + size : index;
  return step > 0 ? Math.min(Math.max(fromFront, 0), size) : Math.min(Math.max(fromFront, -1), size - 1);
}

function sliceContents(contents: readonly Dim[], range: SliceSettings | undefined): readonly Dim[] {
  if (range === undefined) return contents;
  const picked: Dim[] = [];
  const { start, end, step } = range;
  const last = clampIndex(end, contents.length, step);
  for (
    let index = clampIndex(start, contents.length, step);
    step > 0 ? index < last : index > last;
    index += step
  ) {
    picked.push(contents[index] as Dim);
  }
  return picked;
}

function padsOf(inputs: readonly (Value | undefined)[], rank: number): number[] {
  const pads = integersOf(inputs[1]);
  const axes = inputs[3];
  if (axes === undefined) return pads;
  const full = new Array<number>(2 * rank).fill(0);
  integersOf(axes).forEach((axis, index, all) => {
    full[normalizeAxis(axis, rank)] = pads[index] as number;
    full[normalizeAxis(axis, rank) + rank] = pads[index + all.length] as number;
  });
  return full;
}

function reshapedShape(context: InferContext): Shape {
  const x = inputOf(context, 0);
  const target = contentsOf(context, 1);
  const keepsZero = numberAttribute(context.attributes, "allowzero", 0) !== 0;
  const shape = target.map((dim, axis) => (dim === 0 && !keepsZero ? (x.shape[axis] as Dim) : dim));
  if (!shape.includes(-1)) return shape;
  // The missing size is what is left of x's elements; sizes known by name cancel against their own name.
  const remaining = [...x.shape];
  let known = 1;
  for (const dim of shape) {
    if (dim === -1) continue;
    const at = typeof dim === "string" ? remaining.indexOf(dim) : -1;
    if (at >= 0) remaining.splice(at, 1);
    else if (typeof dim === "number") known *= dim;
  }
  const left = productOf(remaining);
  const named = remaining.filter((dim) => typeof dim === "string");
  const numbers = remaining.reduce<number>(
    (product, dim) => (typeof dim === "number" ? product * dim : product),
    1,
  );
  const missing: Dim =
    named.length === 0
      ? (left as number) / known
      : named.length === 1 && numbers === known
        ? (named[0] as string)
        : left;
  if (typeof missing === "number" && !Number.isInteger(missing)) {
    throw new LetheError("data", "DATA_SHAPE", `Expected a shape that divides [${x.shape}], got [${shape}].`);
  }
  return shape.map((dim) => (dim === -1 ? missing : dim));
}

function axesOf(context: InferContext, rank: number): number[] {
  return contentsOf(context, 1).map((axis) => normalizeAxis(Number(axis), rank));
}

function orderOf(attributes: InferContext["attributes"], rank: number): readonly number[] {
  return (
    intsAttribute(attributes, "perm", undefined) ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
  );
}

function contentsOf(context: InferContext, index: number): readonly Dim[] {
  const contents = knownContents(inputOf(context, index));
  if (contents === undefined) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected input ${index} of ${context.type} to be known before the graph runs, got a computed one.`,
    );
  }
  return contents;
}

function integersOf(value: Value | undefined): number[] {
  const contents = knownContents(value);
  if (contents === undefined || !isStatic(contents)) {
    throw new LetheError("data", "DATA_SHAPE", "Expected constant integers, got computed ones.");
  }
  return [...contents];
}

function staticSize(value: Value, axis: number): number {
  const size = value.shape[axis];
  if (typeof size === "number") return size;
  throw new LetheError("data", "DATA_SHAPE", `Expected axis ${axis} to have a known size, got \`${size}\`.`);
}

function productOf(dims: readonly Dim[]): Dim {
  if (isStatic(dims)) return dims.reduce((product, dim) => product * dim, 1);
  const factors = dims.filter((dim) => dim !== 1);
  return factors.length === 1 ? (factors[0] as Dim) : factors.join("*");
}

function sumOf(dims: readonly Dim[]): Dim {
  if (isStatic(dims)) return dims.reduce((sum, dim) => sum + dim, 0);
  const terms = dims.filter((dim) => dim !== 0);
  return terms.length === 1 ? (terms[0] as Dim) : terms.join("+");
}
