import fc from "fast-check";
import { int, text } from "../../../src/onnx/attributes.ts";
import type { Value } from "../../../src/onnx/ir.ts";
import {
  awayFromZero,
  below,
  type CaseTable,
  distinct,
  normal,
  type OperatorCase,
  real,
  type Sampler,
} from "../operator-case.ts";

const size = fc.integer({ min: 1, max: 4 });
const shape = fc.array(size, { minLength: 1, maxLength: 4 });
const axisOf = (rank: number): fc.Arbitrary<number> => fc.integer({ min: -rank, max: rank - 1 });
const reduction = fc.constantFrom("none", "add", "mul", "min", "max");

/** Indices in [−bound, bound): both ways of counting. */
const either =
  (bound: number): Sampler =>
  (random, count) =>
    below(2 * bound)(random, count).map((index) => index - bound);

/** What is written where: without ties for extremes, without zeros for products, which differ at second order. */
const written = (kind: string): Sampler =>
  kind === "min" || kind === "max" ? distinct(0.037) : kind === "mul" ? awayFromZero : normal;
const writtenTo = (kind: string): Sampler => (kind === "min" || kind === "max" ? distinct() : normal);

/** Operators that read or write at positions that are data. */
export const indexingCases: CaseTable = {
  Gather: fc.tuple(shape, fc.array(size, { maxLength: 2 }), fc.boolean()).chain(([x, reads, open]) =>
    axisOf(x.length).map(
      (axis): OperatorCase => ({
        inputs: [
          real(x, undefined, open),
          { shape: reads, dtype: "int64", sample: either(x.at(axis) as number) },
        ],
        build: (value, chosen) =>
          (value as Value).graph.apply("Gather", [value, chosen], { axis: int(axis) }),
      }),
    ),
  ),
  OneHot: fc
    .tuple(
      shape.filter((x) => x.length < 4),
      size,
      fc.boolean(),
    )
    .map(
      ([x, depth, first]): OperatorCase => ({
        inputs: [{ shape: x, dtype: "int64", sample: either(depth) }, real([2])],
        build: (chosen, values) =>
          (chosen as Value).graph.apply(
            "OneHot",
            [chosen, (chosen as Value).graph.scalar(depth, "int64"), values],
            { axis: int(first ? 0 : -1) },
          ),
      }),
    ),
  TopK: fc.tuple(shape, fc.boolean()).chain(([x, largest]) =>
    axisOf(x.length).chain((axis) =>
      fc.integer({ min: 1, max: x.at(axis) as number }).map(
        (k): OperatorCase => ({
          inputs: [real(x, distinct(0.05))],
          build: (value) =>
            value.graph.emit(
              "TopK",
              [value, value.graph.integers([k])],
              { axis: int(axis), largest: int(largest ? 1 : 0) },
              { outputCount: 2 },
            ),
        }),
      ),
    ),
  ),
  GatherElements: fc.tuple(shape, size).chain(([x, count]) =>
    axisOf(x.length).map(
      (axis): OperatorCase => ({
        inputs: [
          real(x),
          { shape: x.with(axis, count), dtype: "int64", sample: either(x.at(axis) as number) },
        ],
        build: (value, chosen) =>
          (value as Value).graph.apply("GatherElements", [value, chosen], { axis: int(axis) }),
      }),
    ),
  ),
  ScatterElements: fc.tuple(shape, size, reduction).chain(([x, count, kind]) =>
    axisOf(x.length).map((axis): OperatorCase => {
      const rows = x.at(axis) as number;
      // Where the last one stays no two may meet: the permutation has no repeats along the axis.
      const writes = kind === "none" ? x : x.with(axis, count);
      const inner = x
        .slice(axis < 0 ? axis + x.length + 1 : axis + 1)
        .reduce((product, dim) => product * dim, 1);
      const once: Sampler = (random, total) => {
        const order = random.permutation(rows);
        return Array.from({ length: total }, (_, i) => order[Math.floor(i / inner) % rows] as number);
      };
      return {
        inputs: [
          real(x, writtenTo(kind)),
          { shape: writes, dtype: "int64", sample: kind === "none" ? once : either(rows) },
          real(writes, written(kind)),
        ],
        build: (value, chosen, updates) =>
          (value as Value).graph.apply("ScatterElements", [value, chosen, updates], {
            axis: int(axis),
            reduction: text(kind),
          }),
      };
    }),
  ),
  GatherND: fc
    .tuple(shape, fc.array(size, { maxLength: 2 }), fc.nat(2), fc.boolean())
    .chain(([x, reads, batch, open]) =>
      fc.integer({ min: 1, max: x.length }).map((depth): OperatorCase => {
        const lead = Math.min(batch, x.length - depth);
        const bound = Math.min(...x.slice(lead, lead + depth));
        return {
          inputs: [
            real(x, undefined, open),
            {
              shape: [...x.slice(0, lead), ...reads, depth],
              dtype: "int64",
              isBatch: open && lead > 0,
              sample: either(bound),
            },
          ],
          build: (value, chosen) =>
            (value as Value).graph.apply("GatherND", [value, chosen], { batch_dims: int(lead) }),
        };
      }),
    ),
  ScatterND: fc.tuple(shape, fc.array(size, { maxLength: 2 }), reduction).chain(([x, some, kind]) =>
    fc.integer({ min: 1, max: x.length }).map((depth): OperatorCase => {
      const bounds = x.slice(0, depth);
      const rows = bounds.reduce((product, dim) => product * dim, 1);
      const writes = kind === "none" ? [rows] : some;
      const rest = x.slice(depth);
      const once: Sampler = (random) =>
        Array.from(random.permutation(rows)).flatMap((row) => {
          let left = row;
          return bounds
            .toReversed()
            .map((bound) => {
              const index = left % bound;
              left = Math.floor(left / bound);
              return index;
            })
            .reverse();
        });
      return {
        inputs: [
          real(x, writtenTo(kind)),
          {
            shape: [...writes, depth],
            dtype: "int64",
            sample: kind === "none" ? once : either(Math.min(...bounds)),
          },
          real([...writes, ...rest], written(kind)),
        ],
        build: (value, chosen, updates) =>
          (value as Value).graph.apply("ScatterND", [value, chosen, updates], { reduction: text(kind) }),
      };
    }),
  ),
};
