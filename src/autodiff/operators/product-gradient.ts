import { concat, mul, reshape, slice, transpose } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import { knownSize } from "./known.ts";

/**
 * The gradient of a product over axes, x̄ᵢ = ȳ·Πⱼ≠ᵢ xⱼ, without a division, so that zeros among the factors are no matter.
 *
 * @param x - the factors
 * @param dy - ∂loss/∂product, with the axes of the factors kept as size 1
 * @param axes - those multiplied over, of known size
 * @returns of x's shape
 */
export function productGradient(x: Value, dy: Value, axes: readonly number[]): Value {
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const order = [...kept, ...axes];
  const factors = axes.reduce((count, axis) => count * knownSize(x, axis), 1);
  const rows = kept.map((axis) => x.shape[axis] ?? 1);
  const turned = transpose(x, order);
  const gradient = withoutOwn(
    reshape(turned, [...rows, factors]),
    reshape(transpose(dy, order), [...rows, 1]),
    factors,
  );
  const back = order.map((_, axis) => order.indexOf(axis));
  return transpose(reshape(gradient, turned.shape), back);
}

/**
 * ȳ times all factors of a row but its own. The first half is multiplied with the second, which leaves half as many factors
 * with the same product; what a pair gets is handed on to each of the two, times the other.
 *
 * @param x - [rows…, count]
 * @param dy - [rows…, 1]
 */
function withoutOwn(x: Value, dy: Value, count: number): Value {
  if (count === 1) return dy;
  const axis = x.shape.length - 1;
  const half = Math.floor(count / 2);
  const part = (value: Value, start: number, end: number): Value => slice(value, [{ axis, start, end }]);
  const [left, right] = [part(x, 0, half), part(x, half, 2 * half)];
  const pairs = mul(left, right);
  if (count % 2 === 0) {
    const ofPairs = withoutOwn(pairs, dy, half);
    return concat([mul(ofPairs, right), mul(ofPairs, left)], axis);
  }
  const gradient = withoutOwn(concat([pairs, part(x, 2 * half, count)], axis), dy, half + 1);
  const [ofPairs, ofRest] = [part(gradient, 0, half), part(gradient, half, half + 1)];
  return concat([mul(ofPairs, right), mul(ofPairs, left), ofRest], axis);
}
