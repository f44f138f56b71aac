import { IGNORED_LABEL } from "../dataset.ts";
import { SPECIAL_TOKENS } from "./tokenizer.ts";

/** Samples for a language model. */
export interface LanguageWindows {
  /** Token ids, row-major [windows, length]. */
  readonly features: Float32Array;
  /** The next token at every position, row-major [windows, length]; ignored behind the end of a text. */
  readonly targets: Int32Array;
  /** Which text each window is of. */
  readonly textOf: Int32Array;
}

/**
 * Cuts texts into windows that follow each other without overlap: a window at s reads tokens s … s + length − 1 and is asked for
 * tokens s + 1 … s + length, the last of which is the text's end. Every token of a text but its first is asked for once.
 */
export function languageWindows(texts: readonly (readonly number[])[], length: number): LanguageWindows {
  const starts = texts.flatMap((ids, text) =>
    Array.from({ length: Math.ceil(ids.length / length) }, (_, window) => ({ text, from: window * length })),
  );
  const features = new Float32Array(starts.length * length).fill(SPECIAL_TOKENS.padding);
  const targets = new Int32Array(starts.length * length).fill(IGNORED_LABEL);
  starts.forEach(({ text, from }, window) => {
    const ids = texts[text] as readonly number[];
    features.set(ids.slice(from, from + length), window * length);
    const next = ids.slice(from + 1, from + length + 1);
    targets.set(next, window * length);
    if (next.length < length) targets[window * length + next.length] = SPECIAL_TOKENS.end;
  });
  return { features, targets, textOf: Int32Array.from(starts, ({ text }) => text) };
}
