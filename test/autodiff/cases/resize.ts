import fc from "fast-check";
import { type Attributes, float, int, ints, text } from "../../../src/onnx/attributes.ts";
import type { Value } from "../../../src/onnx/ir.ts";
import { tensorOfNumbers } from "../../../src/onnx/tensor.ts";
import { type CaseTable, type OperatorCase, real } from "../operator-case.ts";

const constants = (x: Value, numbers: readonly number[]): Value =>
  x.graph.constant(tensorOfNumbers("float32", [numbers.length], numbers));

/**
 * Ratios that single precision holds exactly, so that no coordinate is on the edge by rounding, and that change every size:
 * ONNX Runtime copies where the size stays, whatever the scale.
 */
const ratio = fc.constantFrom(0.5, 0.75, 1, 1.5, 1.75, 2, 2.5, 3);

/** Interpolation of an image, or of signals and volumes where the mode has no more than two axes in the engine. */
export const resizeCases: CaseTable = {
  Resize: fc
    .record({
      sizes: fc.array(fc.integer({ min: 2, max: 5 }), { minLength: 1, maxLength: 2 }),
      ratios: fc.array(ratio, { minLength: 2, maxLength: 2 }),
      isOpen: fc.boolean(),
      mode: fc.constantFrom("nearest", "linear", "cubic"),
      coordinates: fc.constantFrom(
        "half_pixel",
        "half_pixel_symmetric",
        "pytorch_half_pixel",
        "align_corners",
        "asymmetric",
        "tf_crop_and_resize",
      ),
      rounding: fc.constantFrom("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"),
      by: fc.constantFrom("scales", "sizes", "axes", "not_larger", "not_smaller"),
      isAntialiased: fc.boolean(),
      excludesOutside: fc.boolean(),
      cubic: fc.constantFrom(-0.75, -0.5),
      region: fc.constantFrom([0, 1], [0.25, 0.75], [-0.5, 1.25]),
    })
    .map((use): OperatorCase => {
      const shape = [2, 2, ...use.sizes];
      const scales = [1, 1, ...use.ratios.slice(0, use.sizes.length)];
      const targets = shape.map((size, axis) => Math.max(1, Math.floor(size * (scales[axis] as number))));
      const isCrop = use.coordinates === "tf_crop_and_resize";
      const isCubic = use.mode === "cubic" && use.sizes.length === 2;
      const mode = use.mode === "cubic" && !isCubic ? "linear" : use.mode;
      const spatial = use.sizes.map((_, axis) => axis + 2);
      const isPartial = use.by !== "scales" && use.by !== "sizes";
      const axes = isPartial ? spatial : shape.map((_, axis) => axis);
      const isInterpolated = mode !== "nearest";
      const attributes: Attributes = {
        mode: text(mode),
        coordinate_transformation_mode: text(use.coordinates),
        nearest_mode: text(use.rounding),
        cubic_coeff_a: float(use.cubic),
        ...(isPartial ? { axes: ints(spatial) } : {}),
        ...(use.by.startsWith("not") && !isCrop ? { keep_aspect_ratio_policy: text(use.by) } : {}),
        ...(isInterpolated && use.isAntialiased && !isCrop ? { antialias: int(1) } : {}),
        ...(isInterpolated && use.excludesOutside && !isCrop ? { exclude_outside: int(1) } : {}),
        ...(isCrop ? { extrapolation_value: float(0.5) } : {}),
      };
      const isByScales = use.by === "scales" || use.by === "axes";
      return {
        inputs: [real(shape, undefined, use.isOpen && use.by === "axes")],
        build: (x) => {
          const [start, end] = use.region as [number, number];
          const region = [
            ...axes.map((axis) => (axis < 2 ? 0 : start)),
            ...axes.map((axis) => (axis < 2 ? 1 : end)),
          ];
          const chosen = (list: readonly number[]): number[] => axes.map((axis) => list[axis] as number);
          return x.graph.apply(
            "Resize",
            [
              x,
              isCrop ? constants(x, region) : undefined,
              isByScales ? constants(x, chosen(scales)) : undefined,
              ...(isByScales ? [] : [x.graph.integers(chosen(targets))]),
            ],
            attributes,
          );
        },
      };
    }),
  Upsample: fc
    .tuple(
      fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 2 }),
      ratio,
      ratio,
      fc.boolean(),
    )
    .map(
      ([sizes, rows, columns, isLinear]): OperatorCase => ({
        inputs: [real([2, 1, ...sizes], undefined, true)],
        build: (x) =>
          x.graph.apply("Upsample", [x, constants(x, [1, 1, Math.max(rows, 1), Math.max(columns, 1)])], {
            mode: text(isLinear ? "linear" : "nearest"),
          }),
      }),
    ),
};
