import { walkContexts } from "./context-walk.ts";
import { SYMBOL_BITS, symbolTooLarge } from "./decode-symbols.ts";
import { createFirstModel, type FirstModel, INCREMENT, rebuildFirst } from "./first-model.ts";
import { ALPHABET, TOTAL_BITS } from "./letter-model.ts";
import {
  decodeBits,
  decodePart,
  decodeTail,
  encodeBits,
  encodePart,
  encodeTail,
  finishEncoder,
  isAtEnd,
  type RangeDecoder,
  type RangeEncoder,
  startDecoder,
  startEncoder,
} from "./range-coder.ts";
import type { SymbolCoder, SymbolSequence } from "./symbol-coder.ts";

const ESCAPE = ALPHABET - 1;

/**
 * The adaptive coder as it was first: contexts from the sum of the neighbours' means. Supports are coded with it, and so are
 * the bodies of older records; {@link adaptive} took its place in new ones.
 */
export const firstAdaptive: SymbolCoder = {
  id: "adaptive-1",
  wireId: 0,
  title: "Adaptive range coder, first form",
  source: "G. N. N. Martin, Range encoding (1979)",
  createWriter(expectedBytes) {
    const coder = startEncoder(expectedBytes);
    return {
      write: (sequence) => writeSequence(coder, sequence),
      finish: () => finishEncoder(coder),
    };
  },
  createReader(bytes) {
    const coder = startDecoder(bytes);
    return {
      read: (sequence) => readSequence(coder, sequence),
      isAtEnd: () => isAtEnd(coder),
    };
  },
};

function writeSequence(coder: RangeEncoder, sequence: SymbolSequence): void {
  const model = createFirstModel();
  walkContexts(sequence, (index, context, plainBits) => {
    const symbol = sequence.symbols[index] as number;
    const letter = Math.min(symbol >>> plainBits, ESCAPE);
    const unit = coder.range >>> TOTAL_BITS;
    const below = letter === 0 ? 0 : unit * upperOf(model, context, letter - 1);
    const above = letter === ESCAPE ? coder.range : unit * upperOf(model, context, letter);
    count(model, context, letter);
    encodePart(coder, below, above - below);
    if (letter === ESCAPE) encodeTail(coder, (symbol >>> plainBits) - ESCAPE + 1);
    encodeBits(coder, symbol, plainBits);
    return symbol;
  });
}

function readSequence(coder: RangeDecoder, sequence: SymbolSequence): void {
  const model = createFirstModel();
  const { symbols, largest = 2 ** SYMBOL_BITS - 1 } = sequence;
  walkContexts(sequence, (index, context, plainBits) => {
    const unit = coder.range >>> TOTAL_BITS;
    let letter = 0;
    while (coder.code >= unit * upperOf(model, context, letter)) letter++;
    const below = letter === 0 ? 0 : unit * upperOf(model, context, letter - 1);
    const above = letter === ESCAPE ? coder.range : unit * upperOf(model, context, letter);
    count(model, context, letter);
    decodePart(coder, below, above - below);
    const modelled = letter === ESCAPE ? letter + decodeTail(coder) - 1 : letter;
    const symbol = (modelled << plainBits) | decodeBits(coder, plainBits);
    if (symbol < 0 || symbol > largest) throw symbolTooLarge(index);
    symbols[index] = symbol;
    return symbol;
  });
}

function upperOf({ upper }: FirstModel, context: number, letter: number): number {
  return upper[context * ALPHABET + letter] as number;
}

function count(model: FirstModel, context: number, letter: number): void {
  const { counts, wait } = model;
  const at = context * ALPHABET + letter;
  counts[at] = (counts[at] as number) + INCREMENT;
  const left = (wait[context] as number) - 1;
  wait[context] = left;
  if (left === 0) rebuildFirst(model, context);
}
