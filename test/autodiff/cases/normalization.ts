import fc from "fast-check";
import { type Attributes, float, int, ints } from "../../../src/onnx/attributes.ts";
import type { Value } from "../../../src/onnx/ir.ts";
import { awayFromZero, type CaseTable, type OperatorCase, positive, real } from "../operator-case.ts";
import { feature } from "./feature.ts";

const shape = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });

/** A large ε, so that one element, which is its own mean, has a smooth function too. */
const LARGE_EPSILON = float(0.25);

/** A normalisation over the axes from `axis` on; the inputs before the scale have the shape of x. */
const overLastAxes = (
  key: string,
  settings: {
    readonly skips?: boolean;
    readonly parameters: number;
    readonly outputs: readonly number[];
    readonly lastOnly?: boolean;
  },
): fc.Arbitrary<OperatorCase> =>
  shape.chain((size) =>
    fc
      .tuple(
        settings.lastOnly ? fc.constant(-1) : fc.integer({ min: -size.length, max: size.length - 1 }),
        fc.integer({ min: 1, max: settings.parameters }),
        fc.constantFrom(...settings.outputs),
      )
      .map(([axis, parameters, outputCount]): OperatorCase => {
        const inner = size.slice(axis);
        // Open only where the batch is not normalised over: its size would be that of scale and bias.
        const open = inner.length < size.length;
        const [type = key, domain = ""] = key.split(":").reverse();
        return {
          inputs: [
            real(size, undefined, open),
            ...(settings.skips ? [real(size, undefined, open)] : []),
            ...Array.from({ length: parameters }, () => real(inner)),
          ],
          build: (...values) =>
            (values[0] as Value).graph.emit(
              type,
              values,
              { epsilon: LARGE_EPSILON, ...(settings.lastOnly ? {} : { axis: int(axis) }) },
              { domain, outputCount },
            ),
        };
      }),
  );

/** x and two parameters, one for each channel or group of channels. */
const perChannel = (
  type: string,
  groups: fc.Arbitrary<{
    readonly attributes: Attributes;
    readonly each: number;
    readonly parameters: number;
  }>,
): fc.Arbitrary<OperatorCase> =>
  fc.tuple(feature, groups).map(([[batch = 1, count = 1, ...space], { attributes, each, parameters }]) => ({
    inputs: [
      real([batch, count * each, ...space], undefined, true),
      real([count * parameters]),
      real([count * parameters]),
    ],
    build: (...values) =>
      (values[0] as Value).graph.apply(type, values, {
        ...attributes,
        ...(type === "GroupNormalization" ? { num_groups: int(count) } : {}),
        epsilon: LARGE_EPSILON,
      }),
  }));

const onFeature = (type: string, settings: fc.Arbitrary<Attributes>): fc.Arbitrary<OperatorCase> =>
  fc.tuple(feature, settings).map(([size, attributes]) => ({
    inputs: [real(size, awayFromZero, true)],
    build: (x) => x.graph.apply(type, [x], attributes),
  }));

/** Normalisations. */
export const normalizationCases: CaseTable = {
  BatchNormalization: fc
    .tuple(feature, fc.boolean(), fc.constantFrom(1e-5, 1e-3), fc.boolean())
    .map(([shape, flat, epsilon, training]): OperatorCase => {
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
          training
            ? (x as Value).graph.emit(
                "BatchNormalization",
                [x, ...rest],
                { training_mode: int(1), momentum: float(0.75), epsilon: LARGE_EPSILON },
                { outputCount: 3 },
              )
            : (x as Value).graph.apply("BatchNormalization", [x, ...rest], { epsilon: float(epsilon) }),
      };
    }),
  LayerNormalization: overLastAxes("LayerNormalization", { parameters: 2, outputs: [1, 1, 3] }),
  "com.microsoft:SkipLayerNormalization": overLastAxes("com.microsoft:SkipLayerNormalization", {
    skips: true,
    parameters: 3,
    outputs: [1, 4],
    lastOnly: true,
  }),
  RMSNormalization: overLastAxes("RMSNormalization", { parameters: 1, outputs: [1] }),
  SimplifiedLayerNormalization: overLastAxes("SimplifiedLayerNormalization", {
    parameters: 1,
    outputs: [1, 2],
  }),
  "com.microsoft:SkipSimplifiedLayerNormalization": overLastAxes(
    "com.microsoft:SkipSimplifiedLayerNormalization",
    { skips: true, parameters: 2, outputs: [1, 4], lastOnly: true },
  ),
  InstanceNormalization: perChannel(
    "InstanceNormalization",
    fc.constant({ attributes: {}, each: 1, parameters: 1 }),
  ),
  // Groups of one, two or three channels; parameters for each channel or, as in opset 18, for each group.
  GroupNormalization: perChannel(
    "GroupNormalization",
    fc
      .tuple(fc.integer({ min: 1, max: 3 }), fc.boolean())
      .map(([each, ofGroups]) => ({ attributes: {}, each, parameters: ofGroups ? 1 : each })),
  ),
  LpNormalization: onFeature(
    "LpNormalization",
    fc
      .tuple(fc.constantFrom(1, 2), fc.integer({ min: -3, max: 2 }))
      .map(([p, axis]) => ({ p: int(p), axis: int(axis) })),
  ),
  // Without a floor under the deviation two elements are ±1 and one is 0: three at least.
  MeanVarianceNormalization: fc.tuple(fc.constantFrom([1], [0, 2], [-1]), fc.integer({ min: 3, max: 4 })).map(
    ([along, size]): OperatorCase => ({
      inputs: [real([size, 3, size], undefined, true)],
      build: (x) => x.graph.apply("MeanVarianceNormalization", [x], { axes: ints(along) }),
    }),
  ),
  LRN: onFeature(
    "LRN",
    fc.integer({ min: 1, max: 4 }).map((size) => ({
      size: int(size),
      alpha: float(0.5),
      beta: float(0.75),
      bias: float(1.5),
    })),
  ),
};
