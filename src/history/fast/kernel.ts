import { INITIAL_MODEL } from "../coding/letter-model.ts";
import { ENTRIES, LEVELS } from "../coding/levels.ts";
import { KERNEL_BYTES } from "./kernel-bytes.ts";

/** The functions of assembly/: addresses and numbers in, the memory changed. */
export interface KernelCalls {
  fillWords(key: number, out: number, count: number): void;
  measure(values: number, count: number, state: number): void;
  describeIntegers(words: number, sides: number, count: number): void;
  quantiseIntegers(
    values: number,
    perStep: number,
    words: number,
    known: number,
    symbols: number,
    count: number,
  ): void;
  reconstructIntegers(symbols: number, step: number, words: number, out: number, count: number): void;
  describeTrellis(words: number, table: number, sides: number, count: number): void;
  quantiseTrellis(
    values: number,
    perFineStep: number,
    words: number,
    known: number,
    symbols: number,
    count: number,
    states: number,
    start: number,
    into: number,
    decisions: number,
    work: number,
  ): void;
  reconstructTrellis(
    symbols: number,
    fineStep: number,
    words: number,
    states: number,
    out: number,
    count: number,
  ): void;
  encodeSymbols(sequence: number): number;
  decodeSymbols(sequence: number): number;
}

/** Arrays in the kernel's memory, for one vector; their contents are undefined at first. */
export interface LentArrays {
  readonly values: Float32Array; // [length]
  readonly words: Uint32Array; // [words]
  readonly symbols: Int32Array; // [length]
  readonly sides: Uint8Array; // [length]
  readonly cosets: Int32Array; // [blocks]
  readonly cosetSides: Uint8Array; // [blocks]
}

/** Numbers of elements of {@link LentArrays}. */
export interface LentSizes {
  readonly length: number;
  readonly words: number;
  readonly blocks: number;
}

/**
 * The fast path: the loops of this folder in WebAssembly, one memory for each thread. A loop takes it when its arrays lie in
 * that memory. Its results are those of the TypeScript, bit for bit.
 */
export interface Kernel {
  readonly calls: KernelCalls;
  /**
   * Lends arrays until the next call; undefined for more than it can hold. Nothing keeps them from another caller but
   * {@link holds}.
   */
  lend(sizes: LentSizes): LentArrays | undefined;
  /** Whether arrays are still those that were lent last. */
  holds(arrays: LentArrays): boolean;
  /** Addresses for so many bytes each behind the lent arrays, until the next such call; undefined where they do not fit. */
  scratch(...sizes: readonly number[]): readonly number[] | undefined;
  /** Writes into the memory. */
  write(address: number, array: Uint8Array | Uint16Array | Uint32Array | Int32Array | Float32Array): void;
  read(address: number, length: number): Uint8Array;
  has(array: ArrayBufferView): boolean;
}

/** Addresses of the tables, as assembly/model.ts has them. */
const LEVELS_AT = 1024;
const ENTRIES_AT = 2048;
const MODEL_AT = 4096;
/** Where vectors begin: a page, above the tables and the model. */
const PAGE = 65_536;
/** Vectors begin and end at multiples of this. */
const ALIGNMENT = 256;
/** Longest vector: 23 bytes of memory an element, which stays with the thread. */
const MOST_ELEMENTS = 2 ** 23;
/** Scratch for an element: what it is coded to and a column's mean, or the decisions of a trellis; and for tables. */
const SCRATCH_PER_ELEMENT = 10;
const SCRATCH_FOR_TABLES = 2 ** 17;

let kept: { readonly kernel: Kernel | undefined } | undefined;

/** The kernel of this thread; undefined where WebAssembly or its SIMD instructions are missing. */
export function fastKernel(): Kernel | undefined {
  kept ??= { kernel: startKernel() };
  return kept.kernel;
}

/** The kernel whose memory an array lies in. */
export function kernelOf(array: ArrayBufferView): Kernel | undefined {
  const kernel = kept?.kernel;
  return kernel?.has(array) ? kernel : undefined;
}

function startKernel(): Kernel | undefined {
  const exports = instantiate();
  if (exports === undefined) return undefined;
  const { memory, ...calls } = exports;
  memory.grow(1 + SCRATCH_FOR_TABLES / PAGE);
  let lentEnd = PAGE;
  let lent: LentArrays | undefined;

  const write: Kernel["write"] = (address, array) =>
    new Uint8Array(memory.buffer, address).set(
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
    );
  write(LEVELS_AT, LEVELS);
  write(ENTRIES_AT, ENTRIES);
  let at = MODEL_AT;
  for (const part of [
    Uint32Array.from(INITIAL_MODEL.upper),
    INITIAL_MODEL.counts,
    INITIAL_MODEL.wait,
    INITIAL_MODEL.interval,
  ]) {
    write(at, part);
    at += part.byteLength;
  }

  return {
    calls,
    lend({ length, words, blocks }) {
      if (length > MOST_ELEMENTS) return undefined;
      const sizes = [4 * length, 4 * words, 4 * length, length, 4 * blocks, blocks];
      const [ends, end] = addresses(PAGE, sizes);
      const wanted = end + SCRATCH_PER_ELEMENT * length + SCRATCH_FOR_TABLES;
      const missing = Math.ceil((wanted - memory.buffer.byteLength) / PAGE);
      if (missing > 0 && !hasGrown(memory, missing)) return undefined;
      const [values = 0, wordsAt = 0, symbols = 0, sides = 0, cosets = 0, cosetSides = 0] = ends;
      const { buffer } = memory;
      lentEnd = end;
      lent = {
        values: new Float32Array(buffer, values, length),
        words: new Uint32Array(buffer, wordsAt, words),
        symbols: new Int32Array(buffer, symbols, length),
        sides: new Uint8Array(buffer, sides, length),
        cosets: new Int32Array(buffer, cosets, blocks),
        cosetSides: new Uint8Array(buffer, cosetSides, blocks),
      };
      return lent;
    },
    holds: (arrays) => arrays === lent,
    scratch(...sizes) {
      const [starts, end] = addresses(lentEnd, sizes);
      return end <= memory.buffer.byteLength ? starts : undefined;
    },
    write,
    read: (address, length) => new Uint8Array(memory.buffer, address, length),
    has: (array) => array.buffer === memory.buffer,
  };
}

/** Where parts of these sizes start, one behind the other, and where the last one ends. */
function addresses(from: number, sizes: readonly number[]): [readonly number[], number] {
  let at = from;
  const starts = sizes.map((size) => {
    const start = at;
    at = Math.ceil((at + size) / ALIGNMENT) * ALIGNMENT;
    return start;
  });
  // Loops in vectors may read and write past the last element.
  return [starts, at + ALIGNMENT];
}

function hasGrown(memory: WebAssembly.Memory, pages: number): boolean {
  try {
    memory.grow(pages);
    return true;
  } catch (cause) {
    if (cause instanceof RangeError) return false;
    throw cause;
  }
}

type KernelExports = KernelCalls & { readonly memory: WebAssembly.Memory };

function instantiate(): KernelExports | undefined {
  if (typeof WebAssembly === "undefined") return undefined;
  const bytes = Uint8Array.from(atob(KERNEL_BYTES), (character) => character.charCodeAt(0));
  // Without SIMD the module is not valid; a page may also forbid WebAssembly altogether.
  if (!WebAssembly.validate(bytes)) return undefined;
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as KernelExports;
  } catch (cause) {
    if (cause instanceof WebAssembly.CompileError || cause instanceof RangeError) return undefined;
    throw cause;
  }
}
