/** Words of a text as features: of each sample the buckets its words fall into, and their weights. */
export interface HashedWords {
  /** Numbers of one sample. */
  readonly width: number;
  /** How many samples. */
  readonly count: number;
  /** Writes the features of a sample at out[offset …], which holds zeros. */
  fill(position: number, out: Float32Array, offset: number): void;
}

/** Longer runs of letters are encoded attachments. */
const WORD = /[\p{L}\p{N}$!]{1,24}/gu;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Bags of words by the hashing trick: with n_b the number of words of a text (small letters) in bucket b, its feature b is
 * log(1 + n_b) / ‖log(1 + n)‖₂. Nothing is fitted: no text has a say in the features of another.
 *
 * @param texts - one per sample; one without words gives zeros
 * @param width - buckets, at most 65,536
 * Source: K. Weinberger et al., "Feature hashing for large scale multitask learning", 2009, arXiv:0902.2206. Departure: words that
 * fall into one bucket add up, without random signs. Hash: FNV-1a, 32 bits, of UTF-16 code units.
 */
export function hashedWords(texts: readonly string[], width: number): HashedWords {
  const rows = texts.map((text) => rowOf(text, width));
  return {
    width,
    count: texts.length,
    fill(position, out, offset) {
      const { buckets, weights } = rows[position] as Row;
      buckets.forEach((bucket, at) => {
        out[offset + bucket] = weights[at] as number;
      });
    },
  };
}

interface Row {
  readonly buckets: Uint16Array;
  readonly weights: Float32Array;
}

function rowOf(text: string, width: number): Row {
  const counts = new Map<number, number>();
  for (const [word] of text.toLowerCase().matchAll(WORD)) {
    const bucket = hash(word) % width;
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  const logarithms = Float64Array.from(counts.values(), (count) => Math.log1p(count));
  const norm = Math.hypot(...logarithms) || 1;
  return {
    buckets: Uint16Array.from(counts.keys()),
    weights: Float32Array.from(logarithms, (value) => value / norm),
  };
}

function hash(word: string): number {
  let state = FNV_OFFSET;
  for (let at = 0; at < word.length; at++) state = Math.imul(state ^ word.charCodeAt(at), FNV_PRIME);
  return state >>> 0;
}
