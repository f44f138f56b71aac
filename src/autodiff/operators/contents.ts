import type { Value } from "../../onnx/ir.ts";
import { type Dim, isStatic, type Shape } from "../../onnx/shape.ts";

/**
 * The known elements of a small value in another arrangement: what shape arithmetic needs of operators that move elements.
 *
 * @param to - the shape they get
 * @param sourceOf - where in x the element at a place comes from, both as one index for each axis
 * @returns the elements in row-major order, or `undefined` where x's are not known
 */
export function rearranged(
  { contents, shape }: Value,
  to: Shape,
  sourceOf: (place: readonly number[]) => readonly number[],
): readonly Dim[] | undefined {
  if (contents === undefined || !isStatic(shape) || !isStatic(to)) return undefined;
  const count = to.reduce((product, size) => product * size, 1);
  return Array.from({ length: count }, (_, position) => {
    const source = sourceOf(placeOf(position, to));
    const offset = shape.reduce((sum, size, axis) => sum * size + (source[axis] as number), 0);
    return contents[offset] as Dim;
  });
}

function placeOf(position: number, shape: readonly number[]): number[] {
  const place: number[] = [];
  let rest = position;
  for (const size of shape.toReversed()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return place;
}
