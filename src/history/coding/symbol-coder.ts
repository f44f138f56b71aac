import type { Guide } from "./guide.ts";
import type { Plane } from "./plane.ts";

/** Symbols to code, and what both ends know of them before. */
export interface SymbolSequence {
  /** Non-negative integers below 2^25; the reader fills them in. */
  readonly symbols: Int32Array; // [count]
  /** What is known of each symbol, as `guide` reads it. */
  readonly sides: Uint8Array; // [count]
  /** The matrices that the symbols fill, row by row. */
  readonly planes: readonly Plane[];
  readonly guide: Guide;
  /** The largest symbol there can be, where that is known: cosets and flags are 0 or 1. */
  readonly largest?: number;
}

/** Writes one sequence after another; those of an update share one stream of bytes. */
export interface SymbolWriter {
  write(sequence: SymbolSequence): void;
  finish(): Uint8Array;
}

/** Reads in the order of writing. */
export interface SymbolReader {
  /**
   * Fills in the symbols of a sequence; its sides may be used up.
   *
   * @throws LETHE_INTEGRITY_SYMBOL for a symbol that is never written
   */
  read(sequence: SymbolSequence): void;
  /** Whether all bytes are used up, to the bit: a changed stream ends elsewhere. */
  isAtEnd(): boolean;
}

/**
 * The last stage of a pipeline: symbols into bytes. A further one is one file with one value of this type and a line in
 * `index.ts`.
 */
export interface SymbolCoder {
  readonly id: string;
  /** Permanent number, in records. */
  readonly wireId: number;
  /** Whether symbols in the memory of the kernel are coded there. */
  readonly isInKernel?: boolean;
  readonly title: string;
  readonly source: string;
  /**
   * @param expectedBytes - only avoids growing
   */
  createWriter(expectedBytes: number): SymbolWriter;
  createReader(bytes: Uint8Array): SymbolReader;
}
