import { walkContexts } from "./context-walk.ts";
import { ALPHABET } from "./letter-model.ts";
import type { SymbolSequence } from "./symbol-coder.ts";

/** What a sequence's symbols are coded as, and where: the view of a coder that has to see all of them first. */
export interface Letters {
  /** [count]: activity bucket (bits 4 and up) and side context (bits 0-3), as the adaptive coder has them. */
  readonly contexts: Uint16Array;
  /** [count]: 0 to 15; 15 stands for all larger ones. */
  readonly letters: Uint8Array;
  /** [count]: low bits of the symbol that the letter leaves out. */
  readonly plainBits: Uint8Array;
}

/** The letters of a sequence, without coding it. */
export function lettersOf(sequence: SymbolSequence): Letters {
  const { symbols } = sequence;
  const contexts = new Uint16Array(symbols.length);
  const letters = new Uint8Array(symbols.length);
  const plainBits = new Uint8Array(symbols.length);
  walkContexts(sequence, (index, context, plain) => {
    const symbol = symbols[index] as number;
    contexts[index] = context;
    letters[index] = Math.min(symbol >>> plain, ALPHABET - 1);
    plainBits[index] = plain;
    return symbol;
  });
  return { contexts, letters, plainBits };
}
