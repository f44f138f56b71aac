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
import { type Window, windowExtent } from "./window.ts";

/** Up to this many input channels one product with all taps side by side beats a product per tap (0.9 ms against 5.1 for 1). */
const FEW_CHANNELS = 4;

/**
 * The gradient of a convolution with respect to its filter:
 * w̄[m, c, k] = Σₙ Σₒ ȳ[n, m, o] · x[n, c, o·stride + k·dilation − before].
 *
 * It is bilinear in x and ȳ, and made of slices and matrix products: on the CPU 0.4 to 0.6 of the cost of the convolution
 * with batch and channels exchanged. Four forms, by what is fastest: few channels (all taps in one product), depthwise
 * (products element by element), unit strides in the plane (rows shifted on ȳ, columns on x), everything else (a product
 * per tap).
 *
 * @param x - the convolution's input [batch, C, size…]
 * @param dy - ∂loss/∂output [batch, M, count…]
 * @returns [M, C/group, kernel…]
 */
export function filterGradient(x: Value, dy: Value, window: Window, group: number): Value {
  const inputs = knownSize(x, 1) / group;
  const shape = [knownSize(dy, 1), inputs, ...window.kernel];
  if (inputs === 1 && group > 1) return reshape(depthwise(x, dy, window, group), shape);
  if (group === 1 && shiftsRows(x, dy, window)) return reshape(shiftedRows(x, dy, window), shape);
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

/** Whether {@link shiftedRows} serves: a plane, unit strides, more than one tap a side and no padding beyond the kernel. */
function shiftsRows(x: Value, dy: Value, window: Window): boolean {
  const { kernel, strides } = window;
  if (kernel.length !== 2 || kernel.includes(1) || strides.some((stride) => stride !== 1)) return false;
  const [before, after] = rowMargins(x, dy, window);
  return knownSize(x, 1) > FEW_CHANNELS && before >= 0 && after >= 0;
}

/**
 * With unit strides a shift of the rows of x is the opposite shift of the rows of ȳ, so kx is laid out on x, ky on ȳ, and
 * one product gives all taps.
 */
function shiftedRows(x: Value, dy: Value, window: Window): Value {
  const [rows, columns] = window.kernel as [number, number];
  const [rowStep, columnStep] = window.dilations as [number, number];
  const [height] = spatialSizes(x) as [number];
  const [, width] = spatialSizes(dy) as [number, number];
  const [above, below] = rowMargins(x, dy, window);
  const wide = pad(x, [0, 0, 0, window.before[1] as number], [0, 0, 0, window.after[1] as number]);
  const tall = pad(dy, [0, 0, above, 0], [0, 0, below, 0]);
  const onX = concat(
    range(columns).map((kx) => slice(wide, [span(3, kx * columnStep, width)])),
    1,
  ); // [batch, columns·C, height, width]
  const onDy = concat(
    range(rows).map((ky) => slice(tall, [span(2, (rows - 1 - ky) * rowStep, height)])),
    1,
  ); // [batch, rows·M, height, width]
  const product = reduceSum(matmul(flatSpace(onDy, 1), transposeLast(flatSpace(onX, 1))), { axes: [0] });
  const split = reshape(product, [rows, knownSize(dy, 1), columns, knownSize(x, 1)]);
  return transpose(split, [1, 3, 0, 2]);
}

/** The zero rows ȳ needs above and below, so that every shift of it has x's height. */
function rowMargins(x: Value, dy: Value, window: Window): [number, number] {
  const [above] = window.before as [number];
  return [windowExtent(window, 0) - 1 - above, knownSize(x, 2) + above - knownSize(dy, 2)];
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
