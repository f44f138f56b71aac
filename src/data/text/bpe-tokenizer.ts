import { digestJson } from "../../kernel/digest.ts";
import { FIRST_TOKEN, SPECIAL_TOKENS, type Tokenizer, type TokenizerRecord } from "./tokenizer.ts";

/** The record of a tokenizer of this kind. */
type BpeRecord = Extract<TokenizerRecord, { readonly kind: "bpe" }>;

/** Words such as `<|endoftext|>` in a person's text are text. */
const AS_TEXT = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };

/**
 * Byte pair encoding of GPT-2 with the vocabulary cut down to the tokens that some texts use, so that a small model has no
 * table of fifty thousand rows. Tokens that are not in it become the unknown token.
 *
 * The choice is made of data: which tokens there are says something about these texts, and {@link vocabularyExposure} says
 * how much of it is owed to samples that are to be forgotten.
 *
 * @param texts - the training part alone
 * @param samples - what the ids of the training samples begin with
 * @param mostTokens - own tokens at most: the most frequent, ties by number
 * Source: Sennrich et al. (2015), arXiv 1508.07909; Radford et al. (2019), section 2.2.
 */
export async function fitBpeTokenizer(
  texts: readonly string[],
  samples: string,
  mostTokens = Number.POSITIVE_INFINITY,
): Promise<Tokenizer> {
  const { encode } = await encoding();
  const counts = new Map<number, number>();
  for (const text of texts) {
    for (const token of encode(text, AS_TEXT)) counts.set(token, (counts.get(token) ?? 0) + 1);
  }
  const kept = [...counts]
    .sort(([a, times], [b, others]) => others - times || a - b)
    .slice(0, mostTokens)
    .map(([token]) => token)
    .sort((a, b) => a - b);
  return bpeTokenizer({
    kind: "bpe",
    encoding: "r50k_base",
    tokens: kept,
    fittedOn: { samples, texts: texts.length, digest: digestJson([...texts]) },
  });
}

/** The tokenizer of a record. */
export async function bpeTokenizer(record: BpeRecord): Promise<Tokenizer> {
  const { decode, encode } = await encoding();
  const idOf = new Map(record.tokens.map((token, index) => [token, FIRST_TOKEN + index]));
  return {
    size: FIRST_TOKEN + record.tokens.length,
    record,
    digest: digestJson(record),
    encode: (text) => encode(text, AS_TEXT).map((token) => idOf.get(token) ?? SPECIAL_TOKENS.unknown),
    decode: (ids) =>
      decode([...ids].flatMap((id) => (id < FIRST_TOKEN ? [] : [record.tokens[id - FIRST_TOKEN] as number]))),
  };
}

/** Loaded when it is needed: its table takes a tenth of a second. */
function encoding() {
  return import("gpt-tokenizer/encoding/r50k_base");
}
