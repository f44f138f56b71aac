/** How the elements of one axis are made from those of another size. */
export interface Resampling {
  readonly mode: "nearest" | "linear" | "cubic";
  /** Where in the old axis an element of the new one lies; see {@link originOf}. */
  readonly coordinates: string;
  /** Which neighbour is the nearest: floor, ceil, round_prefer_floor or round_prefer_ceil. */
  readonly rounding: string;
  /** The parameter a of the cubic. */
  readonly cubic: number;
  /** Weigh no elements beyond the ends; otherwise the first and the last stand in for them. */
  readonly excludesOutside: boolean;
  /** Widen the kernel to what an element covers when there will be fewer. */
  readonly isAntialiased: boolean;
  readonly from: number;
  readonly to: number;
  /** Exactly to/from only where that is what the node says. */
  readonly scale: number;
  /** The part of the axis to show, as fractions; for tf_crop_and_resize. */
  readonly crop: readonly [number, number];
}

/**
 * Interpolation along one axis as a matrix: y = M·x.
 *
 * M[o, j] = k(s·(j − origin(o))) / Σᵢ k(s·(i − origin(o))) with the kernel k of the mode and s = min(scale, 1) when
 * antialiased, else 1. For `nearest` a row has one 1.
 *
 * @returns the rows one after another, [to, from]; and for each row whether its origin is inside of the axis, which matters
 *   where something else is shown outside
 */
export function resamplingMatrix(axis: Resampling): {
  readonly rows: readonly number[];
  readonly isInside: readonly boolean[];
} {
  const origins = Array.from({ length: axis.to }, (_, place) => originOf(axis, place));
  return {
    rows: origins.flatMap((origin) => rowOf(axis, origin)),
    isInside: origins.map((origin) => origin >= 0 && origin <= axis.from - 1),
  };
}

/** Where an element comes from. In single precision for `nearest`, as engines compute it: there the last digit decides. */
function originOf({ mode, coordinates, from, to, scale: exact, crop }: Resampling, place: number): number {
  const single = mode === "nearest" ? Math.fround : Number;
  const scale = single(exact);
  const centred = single(single((place + 0.5) / scale) - 0.5);
  switch (coordinates) {
    case "asymmetric":
      return single(place / scale);
    case "align_corners":
      return to === 1 ? 0 : single((place * (from - 1)) / (to - 1));
    case "pytorch_half_pixel":
      return to === 1 ? 0 : centred;
    case "half_pixel_symmetric":
      return single((from / 2) * (1 - to / (scale * from)) + centred);
    case "tf_crop_and_resize": {
      const [start, end] = crop;
      return single(
        to === 1
          ? 0.5 * (start + end) * (from - 1)
          : start * (from - 1) + (place * (end - start) * (from - 1)) / (to - 1),
      );
    }
    default:
      return centred;
  }
}

function rowOf(axis: Resampling, origin: number): number[] {
  const row = new Array<number>(axis.from).fill(0);
  if (axis.mode === "nearest") {
    row[within(axis, rounded(axis.rounding, origin))] = 1;
    return row;
  }
  const stretch = axis.isAntialiased ? Math.min(axis.scale, 1) : 1;
  const radius = (axis.mode === "linear" ? 1 : 2) / stretch;
  let total = 0;
  for (let j = Math.floor(origin - radius) + 1; j < origin + radius; j++) {
    if (axis.excludesOutside && (j < 0 || j >= axis.from)) continue;
    const weight = kernelOf(axis, stretch * (j - origin));
    const at = within(axis, j);
    row[at] = (row[at] as number) + weight;
    total += weight;
  }
  return row.map((weight) => weight / total);
}

function within({ from }: Resampling, place: number): number {
  return Math.min(Math.max(place, 0), from - 1);
}

function rounded(rounding: string, x: number): number {
  if (rounding === "floor") return Math.floor(x);
  if (rounding === "ceil") return Math.ceil(x);
  return rounding === "round_prefer_ceil" ? Math.floor(x + 0.5) : Math.ceil(x - 0.5);
}

/** The triangle, or the cubic convolution kernel (Keys 1981). */
function kernelOf({ mode, cubic: a }: Resampling, t: number): number {
  const x = Math.abs(t);
  if (mode === "linear") return Math.max(0, 1 - x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}
