import fc from "fast-check";
import { float, int } from "../../../src/onnx/attributes.ts";
import type { Value } from "../../../src/onnx/ir.ts";
import { type CaseTable, distinct, normal, type OperatorCase, real, type Sampler } from "../operator-case.ts";

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

const alongAxis = (type: string, sample: Sampler = normal): fc.Arbitrary<OperatorCase> =>
  shape.chain((size) =>
    fc.tuple(fc.integer({ min: -size.length, max: size.length - 1 }), fc.boolean()).map(([axis, open]) => ({
      inputs: [real(size, sample, open)],
      build: (x) => x.graph.apply(type, [x], { axis: int(axis) }),
    })),
  );

/** Reductions over axes and the softmax family. */
export const reductionCases: CaseTable = {
  ReduceSum: reduction("ReduceSum"),
  ReduceMean: reduction("ReduceMean"),
  ReduceMax: reduction("ReduceMax", distinct()),
  ReduceMin: reduction("ReduceMin", distinct()),
  ReduceProd: reduction("ReduceProd").map((testCase) => ({ ...testCase, isForwardOnly: true })),
  ArgMax: alongAxis("ArgMax", distinct()),
  Softmax: alongAxis("Softmax"),
  LogSoftmax: alongAxis("LogSoftmax"),
  LayerNormalization: shape.chain((size) =>
    fc
      .tuple(fc.integer({ min: -size.length, max: size.length - 1 }), fc.boolean())
      .map(([axis, hasBias]): OperatorCase => {
        const inner = size.slice(axis);
        return {
          // Open only where the batch is not normalised over: its size would be that of scale and bias.
          inputs: [
            real(size, undefined, inner.length < size.length),
            real(inner),
            ...(hasBias ? [real(inner)] : []),
          ],
          // A large ε, so that one element, which is its own mean, has a smooth function too.
          build: (...values) =>
            (values[0] as Value).graph.apply("LayerNormalization", values, {
              axis: int(axis),
              epsilon: float(0.25),
            }),
        };
      }),
  ),
};
