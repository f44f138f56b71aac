import { decodeSymbols, symbolTooLarge } from "./decode-symbols.ts";
import { encodeSymbols } from "./encode-symbols.ts";
import { finishEncoder, isAtEnd, startDecoder, startEncoder } from "./range-coder.ts";
import type { SymbolCoder } from "./symbol-coder.ts";

/**
 * The adaptive range coder: probabilities of 16 letters in contexts of neighbours' sizes, dither and trellis state, learnt
 * while coding. No table is stored.
 *
 * Source: G. N. N. Martin, "Range encoding" (1979); contexts as docs/history-format.md specifies them.
 */
export const adaptive: SymbolCoder = {
  id: "adaptive",
  wireId: 3,
  title: "Adaptive range coder, contexts of neighbours and dither",
  source: "G. N. N. Martin, Range encoding (1979)",
  createWriter(expectedBytes) {
    const coder = startEncoder(expectedBytes);
    return {
      write: (sequence) => encodeSymbols(coder, sequence),
      finish: () => finishEncoder(coder),
    };
  },
  createReader(bytes) {
    const coder = startDecoder(bytes);
    return {
      read(sequence) {
        decodeSymbols(coder, sequence);
        const { symbols, largest } = sequence;
        if (largest === undefined) return;
        const wrong = symbols.findIndex((symbol) => symbol > largest);
        if (wrong >= 0) throw symbolTooLarge(wrong);
      },
      isAtEnd: () => isAtEnd(coder),
    };
  },
};
