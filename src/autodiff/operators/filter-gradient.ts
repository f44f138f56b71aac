import {
  concat,
  matmul,
  mul,
  pad,
  reduceSum,
  reshape,
  slice,
  transpose,
  transposeLast,
  unsqueeze,
} from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import { knownSize, spatialSizes } from "./known.ts";
import { span, taps } from "./patches.ts";
import type { Window } from "./window.ts";

/** Up to this many input channels one product with all taps side by side beats a product per tap (0.9 ms against 5.1 for 1). */
const FEW_CHANNELS = 4;

/**
 * The gradient of a convolution with respect to its filter:
 * w̄[m, c, k] = Σₙ Σₒ ȳ[n, m, o] · x[n, c, o·stride + k·dilation − before].
 *
 * It is bilinear in x and ȳ, and made of slices and matrix products: on the CPU 0.4 to 0.6 of the cost of the convolution
 * with batch and channels exchanged. Five forms, by what is fastest: few channels (all taps in one product), depthwise
 * (products element by element), unit strides in the plane (rows shifted on ȳ, columns on x, a product per pair), strides in
 * the plane (as unit strides over phases), everything else (a product per tap).
 *
 * @param x - the convolution's input [batch, C, size…]
 * @param dy - ∂loss/∂output [batch, M, count…]
 * @returns [M, C/group, kernel…]
 */
export function filterGradient(x: Value, dy: Value, window: Window, group: number): Value {
  const inputs = knownSize(x, 1) / group;
  const shape = [knownSize(dy, 1), inputs, ...window.kernel];
  if (inputs === 1 && group > 1) return reshape(depthwise(x, dy, window, group), shape);
  if (group === 1 && hasPhases(x, window)) return reshape(byPhases(x, dy, window), shape);
  if (group === 1 && shiftsBoth(x, dy, window)) return reshape(shiftPairs(x, dy, window), shape);
  if (group === 1 && inputs <= FEW_CHANNELS) return reshape(sideBySide(x, dy, window), shape);
  return reshape(perTap(x, dy, window, group), shape);
}

/** [M, C/group, taps] */
function perTap(x: Value, dy: Value, window: Window, group: number): Value {
  const left = flatSpace(dy, group); // [batch, (group,) M/group, outputs]
  const outputs = knownSize(dy, 1);
  const products = taps(x, spatialSizes(dy), window).map((tap) => {
    const product = matmul(left, transposeLast(flatSpace(tap, group)));
    const sum = reduceSum(product, { axes: [0] });
    return reshape(sum, [outputs, knownSize(x, 1) / group, 1]);
  });
  return concat(products, 2);
}

/** [M, C, taps] */
function sideBySide(x: Value, dy: Value, window: Window): Value {
  const columns = concat(taps(x, spatialSizes(dy), window), 1); // [batch, taps·C, outputs…]
  const product = reduceSum(matmul(flatSpace(dy, 1), transposeLast(flatSpace(columns, 1))), { axes: [0] });
  const channels = knownSize(x, 1);
  const split = reshape(product, [knownSize(dy, 1), knownSize(columns, 1) / channels, channels]);
  return transpose(split, [0, 2, 1]);
}

/** [M, taps] */
function depthwise(x: Value, dy: Value, window: Window, group: number): Value {
  const outputs = knownSize(dy, 1);
  const [batch, , ...space] = dy.shape;
  const split = outputs === group ? dy : reshape(dy, [batch ?? 1, group, outputs / group, ...space]);
  const rest = split.shape
    .map((_, axis) => axis)
    .filter((axis) => axis !== 1 && (axis !== 2 || split === dy));
  const products = taps(x, spatialSizes(dy), window).map((tap) => {
    const aligned = split === dy ? tap : unsqueeze(tap, [2]);
    return reshape(reduceSum(mul(split, aligned), { axes: rest }), [outputs, 1]);
  });
  return concat(products, 1);
}

/** Whether {@link byPhases} serves: strides in a plane, shorter than the kernel, without gaps. */
function hasPhases(x: Value, { kernel, strides, dilations }: Window): boolean {
  return (
    kernel.length === 2 &&
    x.dtype === "float32" &&
    strides.some((stride) => stride > 1) &&
    strides.every((stride, axis) => stride < (kernel[axis] as number)) &&
    dilations.every((step) => step === 1)
  );
}

/**
 * A window of stride s sees of x's phase p (rows s·j + p) what a window of unit stride sees, and tap s·a + p is tap a there. So the
 * phases are laid side by side as channels: s² strided slices in place of one for every tap. [M, C, kernel…]
 */
function byPhases(x: Value, dy: Value, window: Window): Value {
  const { kernel, strides, before } = window;
  const [rowStride, columnStride] = strides as [number, number];
  const reach = kernel.map((size, axis) => Math.ceil(size / (strides[axis] as number)));
  const counts = reach.map((size, axis) => knownSize(dy, axis + 2) + size - 1);
  const after = counts.map(
    (count, axis) => count * (strides[axis] as number) - knownSize(x, axis + 2) - (before[axis] as number),
  );
  const padded = pad(x, [0, 0, ...before], [0, 0, ...after]);
  const phases = range(rowStride).flatMap((row) =>
    range(columnStride).map((column) =>
      slice(padded, [
        span(2, row, counts[0] as number, rowStride),
        span(3, column, counts[1] as number, columnStride),
      ]),
    ),
  );
  const none = [0, 0];
  const unit = { kernel: reach, strides: [1, 1], dilations: [1, 1], before: none, after: none };
  const found = filterGradient(concat(phases, 1), dy, unit, 1); // [M, phases·C, reach…]
  const [outputs, channels] = [knownSize(dy, 1), knownSize(x, 1)];
  const split = reshape(found, [outputs, rowStride, columnStride, channels, ...reach]);
  const sizes = reach.map((size, axis) => size * (strides[axis] as number));
  const taps = reshape(transpose(split, [0, 3, 4, 1, 5, 2]), [outputs, channels, ...sizes]);
  return slice(
    taps,
    kernel.flatMap((end, axis) => (end === sizes[axis] ? [] : [{ axis: axis + 2, start: 0, end }])),
  );
}

/** Whether {@link shiftPairs} serves: a plane, unit strides, more than one tap a side, and no shift beyond the elements. */
function shiftsBoth(x: Value, dy: Value, window: Window): boolean {
  const { kernel, strides } = window;
  if (kernel.length !== 2 || kernel.includes(1) || strides.some((stride) => stride !== 1)) return false;
  const isWithin = (size: number, [first, last]: Margins): boolean =>
    Math.max(0, -first) + Math.max(0, -last) <= size;
  return (
    knownSize(x, 1) > FEW_CHANNELS &&
    columnShifts(x, dy, window).every((margins) => isWithin(knownSize(x, 3), margins)) &&
    rowShifts(x, dy, window).every((margins) => isWithin(knownSize(dy, 2), margins))
  );
}

/**
 * With unit strides a shift of the rows of x is the opposite shift of the rows of ȳ: copies of x shifted by kx and of ȳ by ky,
 * one of each unshifted, give a tap by each pair. [M, C, taps]
 */
function shiftPairs(x: Value, dy: Value, window: Window): Value {
  const [width, outputs] = [knownSize(dy, 3), knownSize(dy, 1)];
  const columns = columnShifts(x, dy, window).map((margins) => flatSpace(shiftedColumns(x, margins), 1));
  const flat = flatSpace(dy, 1);
  // Whole rows lie one after another: their shift is one of the flat array, which is copied in one piece.
  const rows = rowShifts(x, dy, window).map(([above, below]) =>
    pad(flat, [0, 0, above * width], [0, 0, below * width]),
  );
  const products = rows.flatMap((row) =>
    columns.map((column) => {
      const sum = reduceSum(matmul(row, transposeLast(column)), { axes: [0] });
      return reshape(sum, [outputs, knownSize(x, 1), 1]);
    }),
  );
  return concat(products, 2);
}

/** A pad that only cuts off takes three times as long as a slice. */
function shiftedColumns(x: Value, [left, right]: Margins): Value {
  if (left === 0 && right === 0) return x;
  return left <= 0 && right <= 0
    ? slice(x, [{ axis: 3, start: -left, end: knownSize(x, 3) + right }])
    : pad(x, [0, 0, 0, left], [0, 0, 0, right]);
}

/** Elements to add at both ends of an axis, or to cut off where negative. */
type Margins = readonly [number, number];

/** For every kx, what makes of x's columns those that ȳ's columns meet. */
function columnShifts(x: Value, dy: Value, { kernel, dilations, before }: Window): readonly Margins[] {
  return range(kernel[1] as number).map((kx) => {
    const left = (before[1] as number) - kx * (dilations[1] as number);
    return [left, knownSize(dy, 3) - knownSize(x, 3) - left];
  });
}

/** For every ky, what lays ȳ's rows beside those of x that they meet. */
function rowShifts(x: Value, dy: Value, { kernel, dilations, before }: Window): readonly Margins[] {
  return range(kernel[0] as number).map((ky) => {
    const above = ky * (dilations[0] as number) - (before[0] as number);
    return [above, knownSize(x, 2) - knownSize(dy, 2) - above];
  });
}

/** [batch, channels, space…] as [batch, channels, elements], or [batch, group, channels/group, elements]. */
function flatSpace(x: Value, group: number): Value {
  const channels = knownSize(x, 1);
  const elements = spatialSizes(x).reduce((product, size) => product * size, 1);
  const split = group === 1 ? [channels] : [group, channels / group];
  return reshape(x, [x.shape[0] ?? 1, ...split, elements]);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
