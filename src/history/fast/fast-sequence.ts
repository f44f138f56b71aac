import type { RangeDecoder, RangeEncoder } from "../coding/range-coder.ts";
import type { SymbolSequence } from "../coding/symbol-coder.ts";
import { type Kernel, kernelOf } from "./kernel.ts";

/** Words of a sequence's description, in the order of assembly/sequence.ts, and the places of those that come back. */
const WORDS = 13;
const [AT, VALUE, RANGE] = [10, 11, 12];

/**
 * Does what `encodeSymbols` does, in the kernel.
 *
 * @returns false, and leaves the coder as it was, where the symbols are not in the kernel's memory or the code does not fit
 */
export function encodeInKernel(coder: RangeEncoder, sequence: SymbolSequence): boolean {
  const kernel = kernelOf(sequence.symbols);
  if (kernel === undefined) return false;
  const space = coder.at + 4 * sequence.symbols.length + 1024;
  const placed = place(kernel, sequence, space);
  if (placed === undefined) return false;
  const { description, bytes } = placed;
  kernel.write(bytes, coder.bytes.subarray(0, coder.at));
  kernel.write(description, described(placed, sequence, space, [coder.at, coder.low, coder.range]));
  if (kernel.calls.encodeSymbols(description) !== 0) return false;
  const [at, low, range] = stateAt(kernel, description);
  if (coder.bytes.length < at) coder.bytes = new Uint8Array(at + 8);
  coder.bytes.set(kernel.read(bytes, at));
  coder.at = at;
  coder.low = low;
  coder.range = range;
  return true;
}

/**
 * Does what `decodeSymbols` does, in the kernel.
 *
 * @returns undefined where the symbols are not in its memory or the bytes do not fit; else 0, or 1 + the index of a symbol that
 *   is too large
 */
export function decodeInKernel(coder: RangeDecoder, sequence: SymbolSequence): number | undefined {
  const kernel = kernelOf(sequence.symbols);
  if (kernel === undefined) return undefined;
  const { length } = coder.bytes;
  const placed = place(kernel, sequence, length);
  if (placed === undefined) return undefined;
  const { description, bytes } = placed;
  kernel.write(bytes, coder.bytes);
  kernel.write(description, described(placed, sequence, length, [coder.at, coder.code, coder.range]));
  const result = kernel.calls.decodeSymbols(description);
  [coder.at, coder.code, coder.range] = stateAt(kernel, description);
  return result;
}

interface Placed {
  readonly description: number;
  readonly planes: number;
  readonly contexts: number;
  readonly next: number;
  readonly columnMeans: number;
  readonly bytes: number;
}

/** Puts what a sequence needs besides its symbols and sides into the kernel's memory. */
function place(kernel: Kernel, { planes, guide }: SymbolSequence, space: number): Placed | undefined {
  const widest = planes.reduce((most, { columns }) => Math.max(most, columns), 0);
  const starts = kernel.scratch(
    4 * WORDS,
    8 * planes.length,
    guide.contexts.length,
    guide.next.length,
    4 * widest,
    space,
  );
  if (starts === undefined) return undefined;
  const [description = 0, planesAt = 0, contexts = 0, next = 0, columnMeans = 0, bytes = 0] = starts;
  kernel.write(planesAt, Uint32Array.from(planes.flatMap(({ rows, columns }) => [rows, columns])));
  kernel.write(contexts, guide.contexts);
  kernel.write(next, guide.next);
  return { description, planes: planesAt, contexts, next, columnMeans, bytes };
}

function described(
  { planes, contexts, next, columnMeans, bytes }: Placed,
  sequence: SymbolSequence,
  length: number,
  state: readonly [at: number, value: number, range: number],
): Uint32Array {
  const { symbols, sides } = sequence;
  return Uint32Array.of(
    symbols.byteOffset,
    sides.byteOffset,
    planes,
    sequence.planes.length,
    contexts,
    next,
    sequence.guide.start,
    columnMeans,
    bytes,
    length,
    ...state,
  );
}

function stateAt(kernel: Kernel, description: number): [at: number, value: number, range: number] {
  const words = new Uint32Array(kernel.read(description, 4 * WORDS).slice().buffer);
  return [words[AT] as number, words[VALUE] as number, words[RANGE] as number];
}
