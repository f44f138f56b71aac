import fc from "fast-check";
import { int, ints, text } from "../../../src/onnx/attributes.ts";
import type { Value } from "../../../src/onnx/ir.ts";
import { tensorOfNumbers } from "../../../src/onnx/tensor.ts";
import { below, type CaseTable, type OperatorCase, real } from "../operator-case.ts";

const size = fc.integer({ min: 1, max: 4 });
const shape = fc.array(size, { minLength: 1, maxLength: 4 });
const ranksOf = (rank: number): number[] => Array.from({ length: rank }, (_, axis) => axis);
const axisOf = (rank: number): fc.Arbitrary<number> => fc.integer({ min: -rank, max: rank - 1 });

/** A slice along one axis: any start and end, also out of range, with steps in both directions. */
const sliceRange = fc.record({
  start: fc.integer({ min: -6, max: 6 }),
  end: fc.integer({ min: -6, max: 6 }),
  step: fc.constantFrom(1, 1, 2, 3, -1, -2),
});

/** Operators that move elements, and those that make shapes. */
export const structureCases: CaseTable = {
  Shape: fc.tuple(shape, fc.boolean()).map(
    ([x, part]): OperatorCase => ({
      inputs: [real(x, undefined, true)],
      build: (value) => value.graph.apply("Shape", [value], part ? { start: int(-1) } : {}),
    }),
  ),
  ConstantOfShape: shape.map(
    (x): OperatorCase => ({
      inputs: [real(x)],
      build: (value) =>
        value.graph.apply("ConstantOfShape", [value.graph.integers(x)], {
          value: { type: "tensor", value: tensorOfNumbers(value.dtype, [1], [2.5]) },
        }),
    }),
  ),
  Size: shape.map(
    (x): OperatorCase => ({
      inputs: [real(x, undefined, true)],
      build: (value) => value.graph.apply("Size", [value]),
    }),
  ),
  Range: fc
    .tuple(
      fc.integer({ min: -3, max: 3 }),
      fc.integer({ min: -6, max: 6 }),
      fc.constantFrom(-2, -1, 0.5, 1, 2),
    )
    .map(
      ([start, limit, step]): OperatorCase => ({
        inputs: [real([1])],
        build: (like) =>
          like.graph.apply(
            "Range",
            [start, limit, step].map((number) => like.graph.scalar(number, like.dtype)),
          ),
      }),
    ),
  EyeLike: fc.tuple(size, size, fc.integer({ min: -2, max: 2 })).map(
    ([rows, columns, diagonal]): OperatorCase => ({
      inputs: [real([rows, columns])],
      build: (x) => x.graph.apply("EyeLike", [x], { k: int(diagonal) }),
    }),
  ),
  Reshape: fc.tuple(size, size, size, fc.nat(3), fc.boolean()).map(([a, b, c, form, open]): OperatorCase => {
    const target = [[a, -1], [0, b * c], [-1], [c, a, b]][open ? Math.max(1, form % 3) : form] as number[];
    return {
      inputs: [real([a, b, c], undefined, open)],
      build: (x) => x.graph.apply("Reshape", [x, x.graph.integers(target)]),
    };
  }),
  Flatten: fc.tuple(shape, fc.boolean()).chain(([x, open]) =>
    fc.integer({ min: -x.length, max: x.length }).map(
      (axis): OperatorCase => ({
        inputs: [real(x, undefined, open)],
        build: (value) => value.graph.apply("Flatten", [value], { axis: int(axis) }),
      }),
    ),
  ),
  Squeeze: fc.tuple(size, size, fc.nat(3)).map(
    ([a, b, form]): OperatorCase => ({
      inputs: [real([a, 1, b, 1], undefined, form === 1)],
      build: (x) =>
        x.graph.apply(
          "Squeeze",
          form === 0 ? [x] : [x, x.graph.integers([[1], [1, 3], [-1]][form - 1] as number[])],
        ),
    }),
  ),
  Unsqueeze: fc.tuple(size, size, fc.constantFrom([0], [1, 3], [-1], [-1, 0], [2])).map(
    ([a, b, axes]): OperatorCase => ({
      inputs: [real([a, b], undefined, true)],
      build: (x) => x.graph.apply("Unsqueeze", [x, x.graph.integers(axes)]),
    }),
  ),
  Transpose: shape
    .chain((x) =>
      fc.tuple(fc.constant(x), fc.shuffledSubarray(ranksOf(x.length), { minLength: x.length }), fc.boolean()),
    )
    .map(
      ([x, order, given]): OperatorCase => ({
        inputs: [real(x, undefined, true)],
        build: (value) => value.graph.apply("Transpose", [value], given ? { perm: ints(order) } : {}),
      }),
    ),
  Expand: fc.tuple(size, size, size, fc.boolean()).map(
    ([a, b, lead, open]): OperatorCase => ({
      inputs: [real([a, 1, b], undefined, open)],
      build: (x) => x.graph.apply("Expand", [x, x.graph.integers([...(open ? [] : [lead]), 1, 3, 1])]),
    }),
  ),
  Concat: fc.tuple(shape, fc.array(size, { minLength: 1, maxLength: 3 })).chain(([x, sizes]) =>
    axisOf(x.length).map(
      (axis): OperatorCase => ({
        inputs: sizes.map((along) => real(x.with(axis, along))),
        build: (...values) => (values[0] as Value).graph.apply("Concat", values, { axis: int(axis) }),
      }),
    ),
  ),
  Split: fc
    .tuple(shape, fc.array(size, { minLength: 2, maxLength: 3 }), fc.boolean(), fc.boolean())
    .chain(([x, sizes, given, both]) =>
      axisOf(x.length).map((axis): OperatorCase => {
        const total = sizes.reduce((sum, along) => sum + along, 0);
        return {
          inputs: [real(x.with(axis, given ? total : 4))],
          build: (value) => {
            const parts = given
              ? value.graph.emit(
                  "Split",
                  [value, value.graph.integers(sizes)],
                  { axis: int(axis) },
                  { outputCount: sizes.length },
                )
              : value.graph.emit(
                  "Split",
                  [value],
                  { axis: int(axis), num_outputs: int(2) },
                  { outputCount: 2 },
                );
            // With one part unused its gradient is zero.
            return both ? parts : [parts[1] as Value];
          },
        };
      }),
    ),
  Slice: fc
    .tuple(shape, fc.array(sliceRange, { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([x, ranges, fromBack]): OperatorCase => {
      const used = ranges.slice(0, x.length);
      const axes = used.map((_, index) => (fromBack ? index - x.length : index));
      return {
        inputs: [real(x)],
        build: (value) =>
          value.graph.apply("Slice", [
            value,
            ...[used.map((r) => r.start), used.map((r) => r.end), axes, used.map((r) => r.step)].map((list) =>
              value.graph.integers(list),
            ),
          ]),
      };
    }),
  Pad: fc
    .tuple(
      shape,
      fc.array(fc.integer({ min: -1, max: 2 }), { minLength: 8, maxLength: 8 }),
      fc.boolean(),
      fc.constantFrom("constant", "constant", "reflect", "edge", "wrap"),
    )
    .map(([x, amounts, partly, mode]): OperatorCase => {
      const safe = x.map((dim) => dim + 2);
      const axes = partly ? [safe.length - 1] : ranksOf(safe.length);
      const amountAt = (i: number): number => {
        const amount = amounts[i] as number;
        return mode === "constant" ? amount : Math.abs(amount);
      };
      const pads = [...axes.map((_, i) => amountAt(i)), ...axes.map((_, i) => amountAt(i + 4))];
      return {
        // What is put around may be computed, and has a gradient.
        inputs: [real(safe), ...(mode === "constant" ? [real([])] : [])],
        build: (value, fill) =>
          (value as Value).graph.apply(
            "Pad",
            [
              value,
              (value as Value).graph.integers(pads),
              fill,
              ...(partly ? [(value as Value).graph.integers(axes)] : []),
            ],
            { mode: text(mode) },
          ),
      };
    }),
  Tile: fc
    .tuple(shape, fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 4, maxLength: 4 }), fc.boolean())
    .map(
      ([x, repeats, open]): OperatorCase => ({
        inputs: [real(x, undefined, open)],
        build: (value) =>
          value.graph.apply("Tile", [value, value.graph.integers(repeats.slice(0, x.length))]),
      }),
    ),
  Trilu: fc
    .tuple(size, size, size, fc.integer({ min: -3, max: 3 }), fc.constantFrom("upper", "lower", "plain"))
    .map(
      ([batch, rows, columns, diagonal, form]): OperatorCase => ({
        inputs: [real([batch, rows, columns], undefined, true)],
        build: (value) =>
          value.graph.apply(
            "Trilu",
            form === "plain" ? [value] : [value, value.graph.scalar(diagonal, "int64")],
            form === "lower" ? { upper: int(0) } : {},
          ),
      }),
    ),
  SpaceToDepth: fc.tuple(size, size, size, size, size).map(
    ([batch, channels, rows, columns, block]): OperatorCase => ({
      inputs: [real([batch, channels, rows * block, columns * block], undefined, true)],
      build: (x) => x.graph.apply("SpaceToDepth", [x], { blocksize: int(block) }),
    }),
  ),
  DepthToSpace: fc
    .tuple(size, size, size, size, fc.integer({ min: 1, max: 3 }), fc.constantFrom("DCR", "CRD"))
    .map(
      ([batch, depth, rows, columns, block, mode]): OperatorCase => ({
        inputs: [real([batch, depth * block * block, rows, columns], undefined, true)],
        build: (x) => x.graph.apply("DepthToSpace", [x], { blocksize: int(block), mode: text(mode) }),
      }),
    ),
  ReverseSequence: fc.tuple(size, size, size, fc.boolean()).map(
    ([a, b, width, timeFirst]): OperatorCase => ({
      inputs: [
        real([a, b, width]),
        {
          shape: [timeFirst ? b : a],
          dtype: "int64",
          sample: (r, n) => below(timeFirst ? a : b)(r, n).map((last) => last + 1),
        },
      ],
      build: (x, lengths) =>
        (x as Value).graph.apply("ReverseSequence", [x, lengths], {
          time_axis: int(timeFirst ? 0 : 1),
          batch_axis: int(timeFirst ? 1 : 0),
        }),
    }),
  ),
};
