import fc from "fast-check";
import type { Attributes } from "../../../src/onnx/attributes.ts";
import { int, ints, text } from "../../../src/onnx/attributes.ts";
import type { Value } from "../../../src/onnx/ir.ts";
import {
  awayFromZero,
  type CaseTable,
  distinct,
  type OperatorCase,
  real,
  type Sampler,
} from "../operator-case.ts";
import { feature } from "./feature.ts";

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
    return {
      inputs: [
        real([batch, inputs, ...planes(list, "size")], undefined, open),
        real([outputs, inputs / group, ...planes(list, "kernel")]),
        ...(hasBias ? [real([outputs])] : []),
      ],
      build: (...values) =>
        (values[0] as Value).graph.apply("Conv", values, {
          ...windowAttributes(list, auto),
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
    fc.constantFrom("NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", "output_shape"),
  )
  .map(([list, { group, inputs, outputs }, batch, added, hasBias, open, mode]): OperatorCase => {
    // Enough of them that the padding leaves an output.
    const counts = list.map(({ before, after }) => 1 + before + after);
    const padding: Attributes =
      mode === "output_shape"
        ? {
            // Up to a stride more than the windows give, or two elements less.
            output_shape: ints(
              list.map(({ stride, kernel, dilation }, at) => {
                const full = ((counts[at] as number) - 1) * stride + (kernel - 1) * dilation + 1;
                return Math.max(1, full + (added === 0 ? -2 : stride - 1));
              }),
            ),
          }
        : {
            output_padding: ints(
              list.map(({ stride }) => (mode.startsWith("SAME") ? 0 : Math.min(added, stride - 1))),
            ),
          };
    return {
      inputs: [
        real([batch, outputs, ...counts], undefined, open),
        real([outputs, inputs / group, ...planes(list, "kernel")]),
        ...(hasBias ? [real([inputs])] : []),
      ],
      build: (...values) =>
        (values[0] as Value).graph.apply("ConvTranspose", values, {
          ...windowAttributes(list, mode === "output_shape" ? "NOTSET" : mode),
          ...padding,
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
  sample: Sampler = distinct(),
): fc.Arbitrary<OperatorCase> =>
  fc
    .tuple(
      poolAxes(dilation),
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 1, max: 2 }),
      settings,
      fc.boolean(),
      autoPad,
    )
    .map(([list, batch, depth, attributes, open, auto]) => ({
      inputs: [real([batch, depth, ...planes(list, "size")], sample, open)],
      build: (x) =>
        x.graph.apply(type, [x], {
          kernel_shape: ints(planes(list, "kernel")),
          ...windowAttributes(list, auto),
          ...(auto !== "NOTSET" || list.every(beginsInside) ? attributes : {}),
        }),
    }));

/** Whether the last window begins inside the input when their number is rounded up. */
function beginsInside({ kernel, stride, dilation, before, after, size }: Axis): boolean {
  const room = size + before + after - (kernel - 1) * dilation - 1;
  return Math.ceil(room / stride) * stride < size + before;
}

const globalPool = (
  type: string,
  sample: Sampler = distinct(),
  settings: Attributes = {},
): fc.Arbitrary<OperatorCase> =>
  feature.map((shape) => ({
    inputs: [real(shape, sample, true)],
    build: (x) => x.graph.apply(type, [x], settings),
  }));

/** Convolutions, pools and resizing. */
export const spatialCases: CaseTable = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: pool("MaxPool", 2, fc.constantFrom({}, { ceil_mode: int(1) })),
  AveragePool: pool(
    "AveragePool",
    2,
    fc.constantFrom(
      {},
      { count_include_pad: int(1) },
      { ceil_mode: int(1) },
      { ceil_mode: int(1), count_include_pad: int(1) },
    ),
  ),
  GlobalAveragePool: globalPool("GlobalAveragePool"),
  GlobalMaxPool: globalPool("GlobalMaxPool"),
  LpPool: pool(
    "LpPool",
    2,
    fc.constantFrom({}, { p: int(1) }, { p: int(3) }, { ceil_mode: int(1) }),
    awayFromZero,
  ),
  GlobalLpPool: fc.oneof(
    globalPool("GlobalLpPool", awayFromZero),
    globalPool("GlobalLpPool", awayFromZero, { p: int(1) }),
    globalPool("GlobalLpPool", awayFromZero, { p: int(3) }),
  ),
};
