import { concat, pad, reshape, type SliceRange, slice } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import { knownSize, spatialSizes } from "./known.ts";
import { type Window, windowCounts } from "./window.ts";

/**
 * For every position in the kernel, the input elements the outputs see there: [batch, C, outputs…] each.
 *
 * @param x - [batch, C, size…]
 * @param counts - outputs along each axis of space
 */
export function taps(x: Value, counts: readonly number[], window: Window): Value[] {
  const padded = pad(x, [0, 0, ...window.before], [0, 0, ...window.after]);
  return positions(window.kernel).map((position) => {
    const ranges = position.map((index, axis) =>
      span(
        axis + 2,
        index * (window.dilations[axis] as number),
        counts[axis] as number,
        window.strides[axis],
      ),
    );
    return slice(
      padded,
      ranges.filter((range) => !coversAxis(padded, range)),
    );
  });
}

/**
 * The patches a convolution multiplies its filters with (im2col): rows in the order of a filter's elements, (channel, kernel
 * position), so that y[n, m, o] = Σ filter[m, r]·patches[n, r, o].
 *
 * @param x - [batch, C, size…]
 * @returns [batch, C·∏kernel, ∏outputs]
 */
export function patches(x: Value, window: Window): Value {
  const counts = windowCounts(window, spatialSizes(x));
  const [batch] = x.shape;
  const channels = knownSize(x, 1);
  const outputs = counts.reduce((product, count) => product * count, 1);
  const columns = taps(x, counts, window).map((tap) => reshape(tap, [batch ?? 1, channels, 1, outputs]));
  return reshape(concat(columns, 2), [batch ?? 1, channels * columns.length, outputs]);
}

/** `count` elements along an axis. */
export function span(axis: number, start: number, count: number, step = 1): SliceRange {
  return { axis, start, end: start + (count - 1) * step + 1, step };
}

function coversAxis(x: Value, { axis, start, end, step }: SliceRange): boolean {
  return start === 0 && end === knownSize(x, axis) && step === 1;
}

/** All index tuples of a box, in row-major order. */
function positions(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (lists, size) => lists.flatMap((list) => Array.from({ length: size }, (_, index) => [...list, index])),
    [[]],
  );
}
