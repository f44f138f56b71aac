import { LetheError } from "../kernel/errors.ts";

/** A dimension: its size, or the name of a size known only when the graph runs (`"batch"`). */
export type Dim = number | string;

/** A value's dimensions, outermost first; `[]` is a scalar. */
export type Shape = readonly Dim[];

/** True when every dimension is a number. */
export function isStatic(shape: Shape): shape is readonly number[] {
  return shape.every((dim) => typeof dim === "number");
}

/** `[batch, 1, 28, 28]` */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** An axis counted from the front: −1 is the last of `rank`. */
export function normalizeAxis(axis: number, rank: number): number {
  const normalized = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || normalized < 0 || normalized >= Math.max(rank, 1)) {
    throw new LetheError("data", "DATA_SHAPE", `Expected an axis in [${-rank}, ${rank}), got ${axis}.`);
  }
  return normalized;
}

/**
 * The shape of an elementwise operation (NumPy's rule: trailing dimensions align, 1 stretches). A named dimension meets
 * its own name or 1; against another number the number is taken, and the engine checks it when it runs.
 *
 * @throws LETHE_DATA_SHAPE when two sizes differ and neither is 1
 */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const da = a[axis - rank + a.length] ?? 1;
    const db = b[axis - rank + b.length] ?? 1;
    if (da === db || db === 1) return da;
    if (da === 1) return db;
    if (typeof da === "string") return db;
    if (typeof db === "string") return da;
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected shapes that broadcast, got ${formatShape(a)} and ${formatShape(b)}.`,
    );
  });
}

/** The axes of `full` along which a value of shape `part` was repeated by broadcasting, and so must be summed over. */
export function broadcastAxes(part: Shape, full: Shape): number[] {
  const lead = full.length - part.length;
  return full.flatMap((dim, axis) => (axis < lead || (part[axis - lead] === 1 && dim !== 1) ? [axis] : []));
}
