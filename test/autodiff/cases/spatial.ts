import fc from "fast-check";
import type { Attributes } from "../../../src/onnx/attributes.ts";
import { float, int, ints, text } from "../../../src/onnx/attributes.ts";
import type { Value } from "../../../src/onnx/ir.ts";
import { type CaseTable, distinct, type OperatorCase, positive, real } from "../operator-case.ts";

/** A window along one axis, on an input it fits. */
interface Axis {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
  readonly size: number;
}

const axis = (limits: { dilation?: number; overlap?: boolean } = {}): fc.Arbitrary<Axis> =>
  fc
    .record({
      kernel: fc.integer({ min: 1, max: 3 }),
      stride: fc.constantFrom(1, 1, 2, 3),
      dilation: fc.integer({ min: 1, max: limits.dilation ?? 1 }),
      before: fc.nat(2),
      after: fc.nat(2),
      extra: fc.nat(3),
    })
    .map(({ kernel, stride, dilation, before, after, extra }) => {
      const extent = (kernel - 1) * dilation + 1;
      // Pools may not have windows that see padding only.
      const [low, high] = limits.overlap
        ? [Math.min(before, kernel - 1), Math.min(after, kernel - 1)]
        : [before, after];
      const size = Math.max(1, extent - low - high) + extra;
      return {
        kernel,
        stride,
        dilation,
        before: low,
        after: high,
        size: limits.overlap ? Math.max(size, extent) : size,
      };
    });

/** Mostly planes, sometimes lines and volumes. */
const axes = (limits: { dilation?: number; overlap?: boolean } = {}): fc.Arbitrary<Axis[]> =>
  fc.oneof(
    { weight: 1, arbitrary: fc.tuple(axis(limits)) },
    { weight: 4, arbitrary: fc.tuple(axis(limits), axis(limits)) },
    { weight: 1, arbitrary: fc.tuple(axis(limits), axis(limits), axis(limits)) },
  );

const planes = (list: readonly Axis[], key: keyof Axis): number[] => list.map((entry) => entry[key]);

const windowAttributes = (list: readonly Axis[], auto: string): Attributes => ({
  strides: ints(planes(list, "stride")),
  ...(list.some(({ dilation }) => dilation > 1) ? { dilations: ints(planes(list, "dilation")) } : {}),
  ...(auto === "NOTSET"
    ? { pads: ints([...planes(list, "before"), ...planes(list, "after")]) }
    : { auto_pad: text(auto) }),
});

/** Explicit pads mostly; VALID only on inputs the window fits without them. */
const autoPad = fc.constantFrom("NOTSET", "NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER");

const channels = fc.constantFrom(
  { group: 1, inputs: 1, outputs: 2 },
  { group: 1, inputs: 3, outputs: 2 },
  { group: 1, inputs: 5, outputs: 2 },
  { group: 1, inputs: 5, outputs: 6 },
  { group: 2, inputs: 4, outputs: 6 },
  { group: 3, inputs: 3, outputs: 3 },
  { group: 2, inputs: 2, outputs: 4 },
);

const conv = fc
  .tuple(axes({ dilation: 2 }), channels, fc.integer({ min: 1, max: 2 }), autoPad, fc.boolean(), fc.boolean())
  .map(([list, { group, inputs, outputs }, batch, auto, hasBias, open]): OperatorCase => {
    const plain = auto !== "NOTSET" ? list.map((entry) => ({ ...entry, dilation: 1 })) : list;
    return {
      inputs: [
        real([batch, inputs, ...planes(plain, "size")], undefined, open),
        real([outputs, inputs / group, ...planes(plain, "kernel")]),
        ...(hasBias ? [real([outputs])] : []),
      ],
      build: (...values) =>
        (values[0] as Value).graph.apply("Conv", values, {
          ...windowAttributes(plain, auto),
          ...(group > 1 ? { group: int(group) } : {}),
        }),
    };
  });

const convTranspose = fc
  .tuple(
    axes({ dilation: 2 }),
    channels,
    fc.integer({ min: 1, max: 2 }),
    fc.nat(2),
    fc.boolean(),
    fc.boolean(),
  )
  .map(([list, { group, inputs, outputs }, batch, added, hasBias, open]): OperatorCase => {
    // Enough of them that the padding leaves an output.
    const counts = list.map(({ before, after }) => 1 + before + after);
    return {
      inputs: [
        real([batch, outputs, ...counts], undefined, open),
        real([outputs, inputs / group, ...planes(list, "kernel")]),
        ...(hasBias ? [real([inputs])] : []),
      ],
      build: (...values) =>
        (values[0] as Value).graph.apply("ConvTranspose", values, {
          ...windowAttributes(list, "NOTSET"),
          output_padding: ints(list.map(({ stride }) => Math.min(added, stride - 1))),
          ...(group > 1 ? { group: int(group) } : {}),
        }),
    };
  });

/** Windows that tile the input, possibly with a rest; and windows that overlap or have padding. */
const poolAxes = (dilation: number): fc.Arbitrary<Axis[]> =>
  fc.oneof(
    axes({ dilation, overlap: true }),
    fc
      .array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 }), fc.nat(2)), {
        minLength: 1,
        maxLength: 3,
      })
      .map((list) =>
        list.map(([kernel, count, rest]) => ({
          kernel,
          stride: kernel,
          dilation: 1,
          before: 0,
          after: 0,
          size: kernel * count + (rest % kernel),
        })),
      ),
  );

const pool = (
  type: string,
  dilation: number,
  settings: fc.Arbitrary<Attributes>,
): fc.Arbitrary<OperatorCase> =>
  fc
    .tuple(
      poolAxes(dilation),
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 1, max: 2 }),
      settings,
      fc.boolean(),
    )
    .map(([list, batch, depth, attributes, open]) => ({
      inputs: [real([batch, depth, ...planes(list, "size")], distinct(), open)],
      build: (x) =>
        x.graph.apply(type, [x], {
          kernel_shape: ints(planes(list, "kernel")),
          ...windowAttributes(list, "NOTSET"),
          ...(list.every(beginsInside) ? attributes : {}),
        }),
    }));

/** Whether the last window begins inside the input when their number is rounded up. */
function beginsInside({ kernel, stride, dilation, before, after, size }: Axis): boolean {
  const room = size + before + after - (kernel - 1) * dilation - 1;
  return Math.ceil(room / stride) * stride < size + before;
}

const feature = fc
  .tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 3 }),
    fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
  )
  .map(([batch, depth, space]) => [batch, depth, ...space]);

const globalPool = (type: string): fc.Arbitrary<OperatorCase> =>
  feature.map((shape) => ({
    inputs: [real(shape, distinct(), true)],
    build: (x) => x.graph.apply(type, [x]),
  }));

/** Convolutions, pools, resizing and batch normalisation. */
export const spatialCases: CaseTable = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: pool("MaxPool", 2, fc.constantFrom({}, { ceil_mode: int(1) })),
  AveragePool: pool(
    "AveragePool",
    1,
    fc.constantFrom(
      {},
      { count_include_pad: int(1) },
      { ceil_mode: int(1) },
      { ceil_mode: int(1), count_include_pad: int(1) },
    ),
  ),
  GlobalAveragePool: globalPool("GlobalAveragePool"),
  GlobalMaxPool: globalPool("GlobalMaxPool"),
  BatchNormalization: fc
    .tuple(feature, fc.boolean(), fc.constantFrom(1e-5, 1e-3))
    .map(([shape, flat, epsilon]): OperatorCase => {
      const channel = [shape[1] as number];
      return {
        inputs: [
          real(flat ? shape.slice(0, 2) : shape, undefined, true),
          real(channel),
          real(channel),
          real(channel),
          real(channel, positive),
        ],
        build: (x, ...rest) =>
          (x as Value).graph.apply("BatchNormalization", [x, ...rest], { epsilon: float(epsilon) }),
      };
    }),
};
