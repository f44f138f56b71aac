/** Numbers in row-major order; integers and booleans are held as numbers too. */
export interface NdArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** An array made element by element. */
export function tabulate(shape: readonly number[], element: (index: readonly number[]) => number): NdArray {
  const data = new Float64Array(shape.reduce((product, size) => product * size, 1));
  let position = 0;
  for (const index of indices(shape)) data[position++] = element(index);
  return { shape, data };
}

/** All index tuples of a shape in row-major order. The tuple is reused: copy it to keep it. */
export function* indices(shape: readonly number[]): Generator<number[]> {
  const count = shape.reduce((product, size) => product * size, 1);
  const index = shape.map(() => 0);
  for (let step = 0; step < count; step++) {
    yield index;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] as number) + 1;
      index[axis] = next === shape[axis] ? 0 : next;
      if (next !== shape[axis]) break;
    }
  }
}

/** The element at a full index. */
export function at(x: NdArray, index: readonly number[]): number {
  return x.data[offsetOf(x.shape, index)] as number;
}

/** The element x contributes to a broadcast result: leading axes dropped, axes of size 1 held at 0. */
export function broadcastAt(x: NdArray, index: readonly number[]): number {
  const lead = index.length - x.shape.length;
  return at(
    x,
    x.shape.map((size, axis) => (size === 1 ? 0 : (index[axis + lead] as number))),
  );
}

/** The place of an index in row-major order. */
export function offsetOf(shape: readonly number[], index: readonly number[]): number {
  let offset = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    offset = offset * (shape[axis] as number) + (index[axis] as number);
  }
  return offset;
}

/** NumPy's broadcasting. */
export function broadcast(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    const stretched = sizes.find((size) => size !== 1) ?? 1;
    if (sizes.some((size) => size !== 1 && size !== stretched)) throw new Error(`no broadcast of ${sizes}`);
    return stretched;
  });
}
