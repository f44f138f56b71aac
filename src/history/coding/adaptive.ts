import { decodeInKernel, encodeInKernel } from "../fast/fast-sequence.ts";
import { kernelOf } from "../fast/kernel.ts";
import { decodeSymbols, symbolTooLarge } from "./decode-symbols.ts";
import { encodeSymbols } from "./encode-symbols.ts";
import { finishEncoder, isAtEnd, startDecoder, startEncoder } from "./range-coder.ts";
import type { SymbolCoder, SymbolSequence } from "./symbol-coder.ts";

/**
 * The adaptive range coder: probabilities of 16 letters in contexts of neighbours' sizes, dither and trellis state, learnt
 * while coding. No table is stored.
 *
 * Source: G. N. N. Martin, "Range encoding" (1979); contexts as docs/history-format.md specifies them.
 */
export const adaptive: SymbolCoder = {
  id: "adaptive",
  wireId: 3,
  isInKernel: true,
  title: "Adaptive range coder, contexts of neighbours and dither",
  source: "G. N. N. Martin, Range encoding (1979)",
  createWriter(expectedBytes) {
    const coder = startEncoder(expectedBytes);
    return {
      write(sequence) {
        if (!encodeInKernel(coder, sequence)) encodeSymbols(coder, sequence);
      },
      finish: () => finishEncoder(coder),
    };
  },
  createReader(bytes) {
    const coder = startDecoder(bytes);
    return {
      read(sequence) {
        const outcome = decodeInKernel(coder, sequence);
        if (outcome === undefined) {
          decodeSymbols(coder, sequence);
          leaveStates(sequence);
        } else if (outcome > 0) throw symbolTooLarge(outcome - 1);
        const { symbols, largest } = sequence;
        if (largest === undefined) return;
        const wrong = symbols.findIndex((symbol) => symbol > largest);
        if (wrong >= 0) throw symbolTooLarge(wrong);
      },
      isAtEnd: () => isAtEnd(coder),
    };
  },
};

/** What the kernel's decoder does by itself: the guide's state before each symbol takes the place of its side. */
function leaveStates({ symbols, sides, guide: { start, next } }: SymbolSequence): void {
  if (kernelOf(symbols) === undefined) return;
  let state = start;
  for (let index = 0; index < symbols.length; index++) {
    const guided = (state << 8) | (sides[index] as number);
    sides[index] = state;
    state = next[(guided << 1) | ((((symbols[index] as number) + 1) >>> 1) & 1)] as number;
  }
}
