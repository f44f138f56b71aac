import type { Value } from "../../onnx/ir.ts";
import { type Dim, isStatic, type Shape } from "../../onnx/shape.ts";

/** What is longer is data and no shape, and would only cost time. */
const MOST_ELEMENTS = 1024;

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
  if (count > MOST_ELEMENTS) return undefined;
  return Array.from({ length: count }, (_, position) => {
    const source = sourceOf(placeOf(position, to));
    const offset = shape.reduce((sum, size, axis) => sum * size + (source[axis] as number), 0);
    return contents[offset] as Dim;
  });
}

/**
 * The known elements of a result made element by element, with single elements and vectors as operands.
 *
 * @param compute - one element, or `undefined` where it hangs on a size that has only a name
 * @returns the elements, or `undefined` where one of them is not known or the result is no vector
 */
export function combined(
  operands: readonly Value[],
  compute: (...elements: readonly Dim[]) => Dim | undefined,
): readonly Dim[] | undefined {
  const lists = operands.map(({ contents }) => contents);
  if (lists.includes(undefined) || operands.some(({ shape }) => shape.length > 1)) return undefined;
  const known = lists as readonly (readonly Dim[])[];
  const count = Math.max(...known.map((list) => list.length));
  if (count > MOST_ELEMENTS) return undefined;
  const results = Array.from({ length: count }, (_, index) =>
    compute(...known.map((list) => list[list.length === 1 ? 0 : index] as Dim)),
  );
  return results.every((result) => result !== undefined) ? results : undefined;
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
