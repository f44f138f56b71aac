/**
 * The four gradual masks of hybrid images, weights of the FORGET image per pixel: tents along rows (peak in the middle) and along
 * columns, and their complements (peaks at the borders), each shifted by `delta` and clipped to [0, 1]. With h = H/2 the tent is
 * j/h in row j of the first half and (h − 1 − j)/h in row h + j of the second; the complement is (h − 1)/h minus the tent.
 *
 * Features without two axes in space are one line, whose row and column masks are the same.
 *
 * Source: Z. He et al., arXiv 2405.15495, the authors' masks.
 *
 * @param featureShape - [channels, height, width], or [features]
 * @returns four masks over one sample's features, channel by channel alike
 */
export function gradualMasks(featureShape: readonly number[], delta: number): readonly Float32Array[] {
  const [channels, height, width] =
    featureShape.length === 3
      ? (featureShape as [number, number, number])
      : [1, 1, featureShape.reduce((a, b) => a * b, 1)];
  const [rows, columns] = [tent(height), tent(width)];
  const profiles: readonly ((row: number, column: number) => number)[] = [
    (row, column) => (height > 1 ? at(rows, row) : at(columns, column)),
    (_, column) => at(columns, column),
    (row, column) => (height > 1 ? peak(height) - at(rows, row) : peak(width) - at(columns, column)),
    (_, column) => peak(width) - at(columns, column),
  ];
  return profiles.map((profile) => {
    const mask = new Float32Array(channels * height * width);
    for (let index = 0; index < mask.length; index++) {
      const pixel = index % (height * width);
      const weight = profile(Math.floor(pixel / width), pixel % width) + delta;
      mask[index] = Math.min(1, Math.max(0, weight));
    }
    return mask;
  });
}

function tent(size: number): Float64Array {
  const half = Math.ceil(size / 2);
  return Float64Array.from({ length: size }, (_, index) =>
    index < half ? index / half : Math.max(0, (2 * half - 1 - index) / half),
  );
}

function peak(size: number): number {
  const half = Math.ceil(size / 2);
  return (half - 1) / half;
}

function at(profile: Float64Array, index: number): number {
  return profile[index] as number;
}
