import { LetheError } from "../../kernel/errors.ts";
import { mul, pad, repeatSpatial, reshape, slice, unsqueeze } from "../../onnx/functions/index.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { type Dim, normalizeAxis } from "../../onnx/shape.ts";
import { rearranged } from "./contents.ts";
import { integersOf, knownSize } from "./known.ts";
import { inputOf } from "./rule.ts";

/** A box out of x, with steps, forwards or backwards. */
export const sliceOperators: readonly Operator[] = [
  {
    type: "Slice",
    limits:
      "Starts, ends, axes and steps have to be known before the graph runs, and the sizes of the axes they cut.",
    constantInputs: [1, 2, 3, 4],
    infer: (context) => {
      const x = inputOf(context, 0);
      const shape: Dim[] = [...x.shape];
      const ranges = rangesOf(x, context.inputs);
      for (const { axis, count } of ranges) shape[axis] = count;
      const contents = rearranged(x, shape, (place) =>
        ranges.reduce(
          (source, { axis, first, step }) => source.with(axis, first + (place[axis] as number) * step),
          [...place],
        ),
      );
      return [{ dtype: x.dtype, shape, contents }];
    },
    // Zeros go back where elements were left out: between (steps), before and after; backwards is turned round first.
    gradient: ({ inputs, gradients: [dy] }) => {
      const [x] = inputs as [Value];
      return [dy && rangesOf(x, inputs).reduce((gradient, range) => unslice(gradient, x, range), dy)];
    },
  },
];

/** The elements first, first + step, …, `count` of them, along one axis. */
interface Range {
  readonly axis: number;
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** Where models write "to the end": beyond every real size. */
const OPEN_END = 2 ** 31 - 1;

function rangesOf(x: Value, [, starts, ends, axes, steps]: readonly (Value | undefined)[]): Range[] {
  const first = integersOf(starts);
  const last = integersOf(ends);
  const along = axes === undefined ? first.map((_, index) => index) : integersOf(axes);
  const by = steps === undefined ? first.map(() => 1) : integersOf(steps);
  if ([last, along, by].some((list) => list.length !== first.length) || by.includes(0)) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected as many starts, ends, axes and steps other than 0, got [${first}], [${last}], [${along}], [${by}].`,
    );
  }
  return first.flatMap((start, index) => {
    const axis = normalizeAxis(along[index] as number, x.shape.length);
    const [end, step] = [last[index] as number, by[index] as number];
    // All of an axis: its size need not be known.
    if (start === 0 && end >= OPEN_END && step === 1) return [];
    return [rangeAlong(axis, knownSize(x, axis), start, end, step)];
  });
}

/** ONNX's rule for positions out of range: a start is brought to an element, an end may lie before the first or after the last. */
function rangeAlong(axis: number, size: number, start: number, end: number, step: number): Range {
  const [least, most] = step > 0 ? [0, size] : [-1, size - 1];
  const first = clamped(start, size, Math.max(least, 0), most);
  const count = Math.max(0, Math.ceil((clamped(end, size, least, most) - first) / step));
  return { axis, first, step, count };
}

/** A position counted from the front, within [least, most]. */
function clamped(position: number, size: number, least: number, most: number): number {
  const fromFront = position < 0 ? position + size : position;
  return Math.min(Math.max(fromFront, least), most);
}

/** The gradient of one range: ȳ in the places its elements came from, zeros in the others. */
function unslice(gradient: Value, x: Value, range: Range): Value {
  const { axis, first, step, count } = range;
  const size = knownSize(x, axis);
  if (count === 0) return pad(gradient, ...margins(gradient, axis, 0, size));
  const forwards = step > 0 ? gradient : slice(gradient, [{ axis, start: -1, end: -(count + 1), step: -1 }]);
  const spread = spaced(forwards, axis, Math.abs(step));
  const lowest = step > 0 ? first : first + (count - 1) * step;
  return pad(spread, ...margins(gradient, axis, lowest, size - lowest - knownSize(spread, axis)));
}

/**
 * Puts stride − 1 zeros between neighbours along an axis. In a plane every element is repeated and the repetitions are zeroed: a tenth
 * of the time of adding zeros at the end of rows of one element.
 */
function spaced(x: Value, axis: number, stride: number): Value {
  const count = knownSize(x, axis);
  if (stride === 1 || count === 1) return x;
  if (x.shape.length === 4 && axis >= 2 && x.dtype === "float32") {
    const along = (size: number): number[] => [2, 3].map((other) => (other === axis ? size : 1));
    const first = Float32Array.from({ length: count * stride }, (_, place) => (place % stride === 0 ? 1 : 0));
    const isFirst = x.graph.constant({ dtype: "float32", shape: along(first.length), data: first }, "firsts");
    const repeated = mul(repeatSpatial(x, along(stride)), isFirst);
    return slice(repeated, [{ axis, start: 0, end: (count - 1) * stride + 1 }]);
  }
  const columns = unsqueeze(x, [axis + 1]);
  const filled = pad(columns, ...margins(columns, axis + 1, 0, stride - 1));
  const merged = reshape(filled, x.shape.with(axis, count * stride));
  return slice(merged, [{ axis, start: 0, end: (count - 1) * stride + 1 }]);
}

/** The margins of a {@link pad} along one axis. */
function margins(x: Value, axis: number, before: number, after: number): [number[], number[]] {
  const along = (count: number): number[] => x.shape.map((_, index) => (index === axis ? count : 0));
  return [along(before), along(after)];
}
