import { fastKernel, type Kernel } from "./fast/kernel.ts";
import type { Rotation } from "./rotation/rotation.ts";

/**
 * Arrays that coding works on, kept from one record to the next: allocating and clearing them anew costs a fifth of
 * the time. For one thread, and one record at a time. Each array comes as it was left, and is lent until the next call.
 */
export interface Workspace {
  words(length: number): Uint32Array;
  symbols(length: number): Int32Array;
  sides(length: number): Uint8Array;
  cosets(length: number): Int32Array;
  cosetSides(length: number): Uint8Array;
  values(length: number): Float32Array;
  /** The fast path, undefined where there is none. */
  readonly kernel: Kernel | undefined;
  /** What was made from earlier records, by name; the oldest is dropped when there are many. */
  readonly rotations: Map<string, Rotation>;
}

/**
 * A workspace without arrays yet; each grows to what the largest record needs.
 *
 * @param kernel - null for the plain TypeScript, which gives the same bits
 */
export function createWorkspace(kernel: Kernel | null = fastKernel() ?? null): Workspace {
  return {
    kernel: kernel ?? undefined,
    words: growing((length) => new Uint32Array(length)),
    symbols: growing((length) => new Int32Array(length)),
    sides: growing((length) => new Uint8Array(length)),
    cosets: growing((length) => new Int32Array(length)),
    cosetSides: growing((length) => new Uint8Array(length)),
    values: growing((length) => new Float32Array(length)),
    rotations: new Map(),
  };
}

interface Divisible<Part> {
  readonly length: number;
  subarray(begin: number, end: number): Part;
}

function growing<Part extends Divisible<Part>>(create: (length: number) => Part): (length: number) => Part {
  let kept = create(0);
  return (length) => {
    if (kept.length < length) kept = create(length);
    return kept.length === length ? kept : kept.subarray(0, length);
  };
}
