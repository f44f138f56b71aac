import { intsAttribute, numberAttribute, stringAttribute } from "../../../src/onnx/attributes.ts";
import { type Application, axisFrom, type Evaluators, inputAt } from "./evaluator.ts";
import { at, indices, type NdArray, tabulate } from "./nd-array.ts";

/** Interpolation element by element: a weighted sum over all combinations of neighbours along the axes. */
export const resizeEvaluators: Evaluators = {
  Resize: (application) => [resize(application, application.inputs[2], application.inputs[3])],
  Upsample: (application) => {
    const attributes = {
      ...application.attributes,
      coordinate_transformation_mode: { type: "string", value: "asymmetric" } as const,
      nearest_mode: { type: "string", value: "floor" } as const,
    };
    return [resize({ ...application, attributes }, application.inputs[1], undefined)];
  },
};

interface Neighbour {
  readonly place: number;
  readonly weight: number;
}

function resize(application: Application, scales: NdArray | undefined, wanted: NdArray | undefined): NdArray {
  const x = inputAt(application, 0);
  const { attributes } = application;
  const word = (name: string, usual: string): string => stringAttribute(attributes, name, usual);
  const isCrop = word("coordinate_transformation_mode", "half_pixel") === "tf_crop_and_resize";
  const rank = x.shape.length;
  const every = x.shape.map((_, axis) => axis);
  const axes = intsAttribute(attributes, "axes", every).map((axis) => axisFrom(axis, rank));
  const scale = x.shape.map(() => 1);
  const shape = [...x.shape];
  const region = x.shape.map((): readonly [number, number] => [0, 1]);
  axes.forEach((axis, index) => {
    const [roi, size] = [application.inputs[1], x.shape[axis] as number];
    if (isCrop && roi !== undefined) {
      region[axis] = [roi.data[index] as number, roi.data[index + axes.length] as number];
    }
    scale[axis] = scales ? (scales.data[index] as number) : (wanted?.data[index] as number) / size;
    shape[axis] = scales ? Math.floor(size * (scale[axis] as number)) : (wanted?.data[index] as number);
  });
  const policy = word("keep_aspect_ratio_policy", "stretch");
  if (wanted !== undefined && policy !== "stretch") {
    const ratios = axes.map((axis) => scale[axis] as number);
    const common = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
    for (const axis of axes) {
      scale[axis] = common;
      shape[axis] = Math.round(common * (x.shape[axis] as number));
    }
  }
  const neighbours = shape.map((to, axis) =>
    Array.from({ length: to }, (_, place) =>
      axes.includes(axis)
        ? neighboursOf(application, place, to, x.shape[axis] as number, scale[axis] as number, region[axis])
        : [{ place, weight: 1 }],
    ),
  );
  return tabulate(shape, (index) => {
    const lists = index.map((place, axis) => neighbours[axis]?.[place]);
    if (lists.includes(undefined)) return numberAttribute(attributes, "extrapolation_value", 0);
    const known = lists as (readonly Neighbour[])[];
    let sum = 0;
    for (const choice of indices(known.map((list) => list.length))) {
      const chosen = choice.map((entry, axis) => known[axis]?.[entry] as Neighbour);
      const weight = chosen.reduce((product, neighbour) => product * neighbour.weight, 1);
      sum +=
        weight *
        at(
          x,
          chosen.map((neighbour) => neighbour.place),
        );
    }
    return sum;
  });
}

/** What an element is made of along one axis; `undefined` when it lies outside of a crop. */
function neighboursOf(
  { attributes }: Application,
  place: number,
  to: number,
  from: number,
  scale: number,
  region: readonly [number, number] | undefined,
): readonly Neighbour[] | undefined {
  const mode = stringAttribute(attributes, "mode", "nearest");
  const coordinates = stringAttribute(attributes, "coordinate_transformation_mode", "half_pixel");
  const [start, end] = region ?? [0, 1];
  const origins: Readonly<Record<string, () => number>> = {
    half_pixel: () => (place + 0.5) / scale - 0.5,
    half_pixel_symmetric: () => (from / 2) * (1 - to / (scale * from)) + (place + 0.5) / scale - 0.5,
    pytorch_half_pixel: () => (to > 1 ? (place + 0.5) / scale - 0.5 : 0),
    align_corners: () => (to > 1 ? (place * (from - 1)) / (to - 1) : 0),
    asymmetric: () => place / scale,
    tf_crop_and_resize: () =>
      to > 1
        ? start * (from - 1) + (place * (end - start) * (from - 1)) / (to - 1)
        : 0.5 * (start + end) * (from - 1),
  };
  const origin = origins[coordinates]?.() as number;
  const held = (at: number): number => Math.min(Math.max(at, 0), from - 1);
  if (coordinates === "tf_crop_and_resize" && (origin < 0 || origin > from - 1)) return undefined;
  if (mode === "nearest") {
    const rounding = stringAttribute(attributes, "nearest_mode", "round_prefer_floor");
    const [low, high] = [Math.floor(origin), Math.ceil(origin)];
    const middle = origin - low;
    const isHigh =
      rounding === "ceil" ||
      (rounding === "round_prefer_floor" && middle > 0.5) ||
      (rounding === "round_prefer_ceil" && middle >= 0.5);
    return [{ place: held(isHigh ? high : low), weight: 1 }];
  }
  const reach = mode === "linear" ? 1 : 2;
  const shrink = numberAttribute(attributes, "antialias", 0) !== 0 && scale < 1 ? scale : 1;
  const a = numberAttribute(attributes, "cubic_coeff_a", -0.75);
  const weightAt = (distance: number): number => {
    const d = Math.abs(distance * shrink);
    if (d >= reach) return 0;
    if (mode === "linear") return 1 - d;
    return d <= 1 ? (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1 : a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a;
  };
  const excludes = numberAttribute(attributes, "exclude_outside", 0) !== 0;
  const list: Neighbour[] = [];
  for (let j = Math.floor(origin) - 40; j <= Math.floor(origin) + 40; j++) {
    if (!(excludes && (j < 0 || j >= from))) list.push({ place: held(j), weight: weightAt(j - origin) });
  }
  const total = list.reduce((sum, { weight }) => sum + weight, 0);
  return list
    .filter(({ weight }) => weight !== 0)
    .map(({ place: at, weight }) => ({ place: at, weight: weight / total }));
}
