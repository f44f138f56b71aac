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

/** The size of several axes merged into one: a number, or a name such as `batch*784`. */
export function productOfDims(dims: readonly Dim[]): Dim {
  const { number, names } = factorsOf(dims);
  if (number === 0 || names.length === 0) return number;
  const sorted = names.toSorted();
  return dimName((number === 1 ? sorted : [...sorted, number]).join("*"));
}

/** What is left of `dims` merged when the axes of `divisor` are split off it, or `undefined` when that is no whole size. */
export function quotientOfDims(dims: readonly Dim[], divisor: readonly Dim[]): Dim | undefined {
  const whole = factorsOf(dims);
  const part = factorsOf(divisor);
  const names = [...whole.names];
  const unmatched = part.names.filter((name) => {
    const at = names.indexOf(name);
    if (at >= 0) names.splice(at, 1);
    return at < 0;
  });
  const number = whole.number / part.number;
  if (unmatched.length === 0 && Number.isInteger(number)) return productOfDims([...names, number]);
  // A size with a name may still divide: the engine finds out.
  if (names.length === 0 && unmatched.length === 0) return undefined;
  return dimName(`(${productOfDims(dims)})/(${productOfDims(divisor)})`);
}

/** The size of several axes laid end to end. */
export function sumOfDims(dims: readonly Dim[]): Dim {
  const names = dims.filter((dim) => typeof dim === "string");
  const number = dims.reduce<number>((sum, dim) => (typeof dim === "number" ? sum + dim : sum), 0);
  if (names.length === 0) return number;
  if (number === 0 && names.length === 1) return names[0] as string;
  return dimName(`(${(number === 0 ? names : [...names, number]).join("+")})`);
}

/** Computed names stay short: in a file of n doublings they would reach 2ⁿ letters. */
const LONGEST_NAME = 200;

function dimName(name: string): string {
  if (name.length <= LONGEST_NAME) return name;
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected sizes that follow from the inputs' in a few steps, got ${name.slice(0, 40)}… Export the model with fixed sizes.`,
  );
}

/** A product as its number and its names; names made here are taken apart again. */
function factorsOf(dims: readonly Dim[]): { readonly number: number; readonly names: readonly string[] } {
  let number = 1;
  const names: string[] = [];
  for (const dim of dims) {
    if (typeof dim === "number") number *= dim;
    else if (dim.includes("(")) names.push(dim);
    else {
      for (const factor of dim.split("*")) {
        if (/^\d+$/.test(factor)) number *= Number(factor);
        else names.push(factor);
      }
    }
  }
  return { number, names };
}
