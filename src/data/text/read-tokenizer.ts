import { z } from "zod";
import { LetheError } from "../../kernel/errors.ts";
import { bpeTokenizer } from "./bpe-tokenizer.ts";
import { byteTokenizer } from "./byte-tokenizer.ts";
import { type Tokenizer, tokenizerRecordSchema } from "./tokenizer.ts";

/**
 * The tokenizer a run stored.
 *
 * @param record - parsed JSON
 * @param file - for messages
 * @throws LETHE_DATA_TOKENIZER when it is no such record
 */
export async function readTokenizer(record: unknown, file: string): Promise<Tokenizer> {
  const parsed = tokenizerRecordSchema.safeParse(record);
  if (!parsed.success) {
    throw new LetheError(
      "data",
      "DATA_TOKENIZER",
      `Expected the record of a tokenizer in ${file}: ${z.prettifyError(parsed.error)}`,
      { details: { file } },
    );
  }
  return parsed.data.kind === "byte" ? byteTokenizer : bpeTokenizer(parsed.data);
}
