import { LetheError } from "../../kernel/errors.ts";
import { decodeSymbols } from "./decode-symbols.ts";
import { encodeSymbols } from "./encode-symbols.ts";
import { finishEncoder, isAtEnd, startDecoder, startEncoder } from "./range-coder.ts";
import type { SymbolCoder } from "./symbol-coder.ts";
import { createModel } from "./symbol-model.ts";

/**
 * The adaptive range coder: probabilities of 16 letters in contexts of neighbours' sizes, dither and trellis state, learnt
 * while coding. No table is stored.
 *
 * Source: G. N. N. Martin, "Range encoding" (1979); contexts as docs/history-format.md specifies them.
 */
export const adaptive: SymbolCoder = {
  id: "adaptive",
  wireId: 0,
  title: "Adaptive range coder, contexts of neighbours and dither",
  source: "G. N. N. Martin, Range encoding (1979)",
  createWriter(expectedBytes) {
    const coder = startEncoder(expectedBytes);
    return {
      write({ symbols, sides, planes, guide }) {
        encodeSymbols(coder, createModel(), symbols, sides, planes, guide);
      },
      finish: () => finishEncoder(coder),
    };
  },
  createReader(bytes) {
    const coder = startDecoder(bytes);
    return {
      read({ symbols, sides, planes, guide, largest }) {
        decodeSymbols(coder, createModel(), symbols, sides, planes, guide);
        if (largest !== undefined) expectAtMost(symbols, largest);
      },
      isAtEnd: () => isAtEnd(coder),
    };
  },
};

/**
 * Refuses symbols that nobody writes.
 *
 * @throws LETHE_INTEGRITY_SYMBOL
 */
function expectAtMost(symbols: Int32Array, largest: number): void {
  if (!symbols.some((symbol) => symbol > largest)) return;
  throw new LetheError(
    "integrity",
    "INTEGRITY_SYMBOL",
    `Expected symbols of at most ${largest}, got a larger one: the bytes are damaged.`,
  );
}
