import { z } from "zod";
import type { Digest } from "../../kernel/digest.ts";

/** Ids that every tokenizer keeps free. */
export const SPECIAL_TOKENS = {
  /** Fills a sample up to its length. */
  padding: 0,
  /** Stands for what is not in the vocabulary. */
  unknown: 1,
  /** Ends a text. */
  end: 2,
} as const;

/** The first id of a vocabulary's own tokens. */
export const FIRST_TOKEN = 3;

/** Everything a tokenizer is made of, as it is stored with a run. */
export const tokenizerRecordSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("byte") }),
  z.strictObject({
    kind: z.literal("bpe"),
    encoding: z.literal("r50k_base"),
    /** The encoding's number of each own token: token `i` has the id `FIRST_TOKEN + i`. */
    tokens: z.array(z.int().min(0)),
    /** What the vocabulary was chosen by: all samples whose ids begin with `samples`. */
    fittedOn: z.strictObject({ samples: z.string(), texts: z.int().min(0), digest: z.string() }),
  }),
]);

/** As {@link tokenizerRecordSchema} reads it. */
export type TokenizerRecord = z.output<typeof tokenizerRecordSchema>;

/** Text to token ids and back. */
export interface Tokenizer {
  /** Ids are smaller than this, the special ones included. */
  readonly size: number;
  readonly record: TokenizerRecord;
  /** Two tokenizers with one digest give the same ids. */
  readonly digest: Digest;
  /** The ids of a text, without special tokens but for unknown ones. */
  encode(text: string): number[];
  /** The text of ids; special tokens say nothing. */
  decode(ids: Iterable<number>): string;
}
