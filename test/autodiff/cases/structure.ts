import fc from "fast-check";
import { int, ints, text } from "../../../src/onnx/attributes.ts";
import { oneHot } from "../../../src/onnx/functions/index.ts";
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

const indexed = (
  type: "GatherElements" | "ScatterElements",
  build: (values: readonly Value[], axis: number, adds: boolean) => Value,
): fc.Arbitrary<OperatorCase> =>
  shape
    .chain((x) => fc.tuple(fc.constant(x), axisOf(x.length), size, fc.boolean()))
    .map(([x, axis, count, adds]) => {
      const place = axis < 0 ? axis + x.length : axis;
      const rows = x[place] as number;
      // Without addition no two updates may meet in one element: the permutation has no repeats along the axis.
      const reads = type === "ScatterElements" && !adds ? x : x.with(place, count);
      const sample: OperatorCase["inputs"][number]["sample"] = (random, total) => {
        if (type === "GatherElements" || adds) return below(rows)(random, total);
        const order = random.permutation(rows);
        const inner = x.slice(place + 1).reduce((product, dim) => product * dim, 1);
        return Array.from({ length: total }, (_, i) => order[Math.floor(i / inner) % rows] as number);
      };
      return {
        inputs: [
          real(x),
          { shape: reads, dtype: "int64", sample } as const,
          ...(type === "ScatterElements" ? [real(reads)] : []),
        ],
        build: (...values) => build(values, axis, adds),
      };
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
    .tuple(shape, fc.array(fc.integer({ min: -1, max: 2 }), { minLength: 8, maxLength: 8 }), fc.boolean())
    .map(([x, amounts, partly]): OperatorCase => {
      const safe = x.map((dim) => dim + 2);
      const axes = partly ? [safe.length - 1] : ranksOf(safe.length);
      const pads = [
        ...axes.map((_, i) => amounts[i] as number),
        ...axes.map((_, i) => amounts[i + 4] as number),
      ];
      return {
        inputs: [real(safe)],
        build: (value) =>
          value.graph.apply(
            "Pad",
            [
              value,
              value.graph.integers(pads),
              value.graph.scalar(0.5, value.dtype),
              ...(partly ? [value.graph.integers(axes)] : []),
            ],
            { mode: text("constant") },
          ),
      };
    }),
  Gather: fc.tuple(shape, fc.array(size, { maxLength: 2 })).chain(([x, reads]) =>
    axisOf(x.length).map((axis): OperatorCase => {
      const rows = x[axis < 0 ? axis + x.length : axis] as number;
      return {
        inputs: [
          real(x),
          { shape: reads, dtype: "int64", sample: (r, n) => below(2 * rows)(r, n).map((i) => i - rows) },
        ],
        build: (value, chosen) => value.graph.apply("Gather", [value, chosen as Value], { axis: int(axis) }),
      };
    }),
  ),
  GatherElements: indexed("GatherElements", ([x, chosen], axis) =>
    (x as Value).graph.apply("GatherElements", [x, chosen], { axis: int(axis) }),
  ),
  ScatterElements: indexed("ScatterElements", ([x, chosen, updates], axis, adds) =>
    (x as Value).graph.apply("ScatterElements", [x, chosen, updates], {
      axis: int(axis),
      ...(adds ? { reduction: text("add") } : {}),
    }),
  ),
  OneHot: fc
    .tuple(
      shape.filter((x) => x.length < 4),
      size,
      fc.boolean(),
    )
    .map(
      ([x, depth, first]): OperatorCase => ({
        // The second input only lends its element type.
        inputs: [{ shape: x, dtype: "int64", sample: below(depth) }, real([1])],
        build: (chosen, like) => oneHot(chosen as Value, depth, (like as Value).dtype, first ? 0 : -1),
      }),
    ),
};
