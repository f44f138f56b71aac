import fc from "fast-check";
import { type Attributes, int } from "../../../src/onnx/attributes.ts";
import {
  awayFromZero,
  type CaseTable,
  distinct,
  normal,
  type OperatorCase,
  positive,
  real,
  type Sampler,
} from "../operator-case.ts";

const shape = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });

/** Some of the axes, counted from the front or the back. */
const axesOf = (rank: number): fc.Arbitrary<number[]> =>
  fc
    .tuple(
      fc.subarray(
        Array.from({ length: rank }, (_, axis) => axis),
        { minLength: 1 },
      ),
      fc.boolean(),
    )
    .map(([axes, fromBack]) => axes.map((axis) => (fromBack ? axis - rank : axis)));

const reduction = (type: string, sample: Sampler = normal): fc.Arbitrary<OperatorCase> =>
  shape.chain((size) =>
    fc.tuple(fc.option(axesOf(size.length)), fc.boolean(), fc.boolean()).map(([axes, keeps, open]) => ({
      inputs: [real(size, sample, open)],
      build: (x) =>
        x.graph.apply(type, [x, axes === null ? undefined : x.graph.integers(axes)], {
          keepdims: int(keeps ? 1 : 0),
        }),
    })),
  );

const running = (type: string, sample: Sampler = normal): fc.Arbitrary<OperatorCase> =>
  shape.chain((size) =>
    fc
      .tuple(
        fc.integer({ min: -size.length, max: size.length - 1 }),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
      )
      .map(([axis, exclusive, reverse, open]) => ({
        inputs: [real(size, sample, open)],
        build: (x) =>
          x.graph.apply(type, [x, x.graph.scalar(axis, "int64")], {
            exclusive: int(exclusive ? 1 : 0),
            reverse: int(reverse ? 1 : 0),
          }),
      })),
  );

/** Normal numbers with zeros among them. */
const withZeros: Sampler = (random, count) =>
  normal(random, count).map((x) => (random.below(6) === 0 ? 0 : x));

/** With all sizes known, as an operator needs that goes through the elements one by one. */
const closed = (testCase: OperatorCase): OperatorCase => ({
  ...testCase,
  inputs: testCase.inputs.map((input) => ({ ...input, isBatch: false })),
});

const alongAxis = (
  type: string,
  sample: Sampler = normal,
  attributes: Attributes = {},
): fc.Arbitrary<OperatorCase> =>
  shape.chain((size) =>
    fc.tuple(fc.integer({ min: -size.length, max: size.length - 1 }), fc.boolean()).map(([axis, open]) => ({
      inputs: [real(size, sample, open)],
      build: (x) => x.graph.apply(type, [x], { ...attributes, axis: int(axis) }),
    })),
  );

/** Reductions over axes and the softmax family. */
export const reductionCases: CaseTable = {
  ReduceSum: reduction("ReduceSum"),
  ReduceMean: reduction("ReduceMean"),
  ReduceMax: reduction("ReduceMax", distinct()),
  ReduceMin: reduction("ReduceMin", distinct()),
  // Zeros among the factors: one leaves a single element with a gradient, two leave none.
  ReduceProd: reduction("ReduceProd", withZeros).map(closed),
  ReduceL1: reduction("ReduceL1", awayFromZero),
  ReduceL2: reduction("ReduceL2", awayFromZero),
  ReduceSumSquare: reduction("ReduceSumSquare"),
  ReduceLogSum: reduction("ReduceLogSum", positive),
  ReduceLogSumExp: reduction("ReduceLogSumExp"),
  ArgMax: alongAxis("ArgMax", distinct()),
  ArgMin: alongAxis("ArgMin", distinct(), { select_last_index: int(1) }),
  Hardmax: alongAxis("Hardmax", distinct()),
  CumSum: running("CumSum"),
  CumProd: running("CumProd", withZeros).map(closed),
  Softmax: alongAxis("Softmax"),
  LogSoftmax: alongAxis("LogSoftmax"),
};
