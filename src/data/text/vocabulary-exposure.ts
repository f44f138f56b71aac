import type { Samples } from "../dataset.ts";
import { FIRST_TOKEN, type TokenizerRecord } from "./tokenizer.ts";

/** What a vocabulary owes to samples that are to be forgotten. */
export interface VocabularyExposure {
  /** Forget samples the vocabulary was fitted on. */
  readonly seenSamples: number;
  /**
   * Own tokens that forget samples hold and no retain sample does: rows of the table that would not exist without them. An
   * upper bound where the vocabulary kept the most frequent tokens alone.
   */
  readonly ownedTokens: number;
}

/**
 * Whether a vocabulary saw the forget samples. Exact unlearning fits it again where it did; a byte vocabulary saw nobody.
 *
 * @param forget - samples of token ids
 * @param retain - the other training samples
 */
export function vocabularyExposure(
  record: TokenizerRecord,
  forget: Samples,
  retain: Samples,
): VocabularyExposure {
  if (record.kind === "byte") return { seenSamples: 0, ownedTokens: 0 };
  const prefix = `${record.fittedOn.samples}/`;
  const seen = Array.from({ length: forget.count }, (_, position) => position).filter((position) =>
    forget.id(position).startsWith(prefix),
  );
  const kept = tokensOf(retain);
  const owned = [...tokensOf(forget.subset(seen))].filter((id) => id >= FIRST_TOKEN && !kept.has(id));
  return { seenSamples: seen.length, ownedTokens: owned.length };
}

function tokensOf(samples: Samples): Set<number> {
  const row = new Float32Array(samples.featureLength);
  const found = new Set<number>();
  for (let position = 0; position < samples.count; position++) {
    samples.gather([position], row);
    for (const id of row) found.add(id);
    const answers = samples.targets;
    if (answers === undefined) continue;
    const next = new BigInt64Array(row.length);
    answers.gather([position], next);
    for (const id of next) found.add(Number(id));
  }
  return found;
}
