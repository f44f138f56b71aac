import { LetheError } from "../../kernel/errors.ts";
import { BUCKETS } from "./first-contexts.ts";
import { ALPHABET } from "./letter-model.ts";
import {
  decodeBits,
  decodeTail,
  encodeBits,
  encodeTail,
  type RangeDecoder,
  type RangeEncoder,
} from "./range-coder.ts";

/** Shares are multiples of 2^-12. */
export const SHARE_BITS = 12;
const WHOLE = 1 << SHARE_BITS;
/** Classes of a bucket: a dither near the next cell or not, and the two parities. */
const CLASSES_PER_BUCKET = 4;
const CLASSES = BUCKETS * CLASSES_PER_BUCKET;
/** Fewer symbols than this are not worth the hundred bits of a table of their own. */
const LEAST_FOR_OWN_TABLE = 200;

/** [context]: the class whose table codes its letters; coarser than contexts, since every table is paid for. */
export const CLASS_OF = Uint8Array.from({ length: BUCKETS * 16 }, (_, context) => {
  const side = context & 15;
  const kind = side >= 8 ? 2 + (side & 1) : side >> 2;
  return (context >> 4) * CLASSES_PER_BUCKET + kind;
});

/** [class, letter]: where the letter's share begins, in units of 2^-12, and its end: 17 numbers a class. */
export type LetterTables = Uint16Array;
/** Numbers of a class in {@link LetterTables}. */
export const TABLE_STRIDE = ALPHABET + 1;

/**
 * Counts the letters of every class, writes the tables and returns them. A class of few symbols uses the table of all.
 */
export function writeTables(coder: RangeEncoder, contexts: Uint16Array, letters: Uint8Array): LetterTables {
  const counts = new Uint32Array((CLASSES + 1) * ALPHABET);
  for (let index = 0; index < letters.length; index++) {
    const letter = letters[index] as number;
    const at = (CLASS_OF[contexts[index] as number] as number) * ALPHABET + letter;
    counts[at] = (counts[at] as number) + 1;
    const common = CLASSES * ALPHABET + letter;
    counts[common] = (counts[common] as number) + 1;
  }
  const countsOf = (place: number) => counts.subarray(place * ALPHABET, (place + 1) * ALPHABET);
  const common = sharesOf(countsOf(CLASSES));
  writeShares(coder, common);
  return tablesOf((place) => {
    const own = countsOf(place);
    const hasOwn = own.reduce((sum, count) => sum + count, 0) >= LEAST_FOR_OWN_TABLE;
    encodeBits(coder, hasOwn ? 1 : 0, 1);
    if (!hasOwn) return common;
    const shares = sharesOf(own);
    writeShares(coder, shares);
    return shares;
  });
}

/**
 * Reads what {@link writeTables} wrote.
 *
 * @throws LETHE_INTEGRITY_TABLE for shares that are more than a whole
 */
export function readTables(coder: RangeDecoder): LetterTables {
  const common = readShares(coder);
  return tablesOf(() => (decodeBits(coder, 1) === 1 ? readShares(coder) : common));
}

function tablesOf(sharesOfClass: (place: number) => Uint16Array): LetterTables {
  const tables = new Uint16Array(CLASSES * TABLE_STRIDE);
  for (let place = 0; place < CLASSES; place++) {
    const shares = sharesOfClass(place);
    let sum = 0;
    for (let letter = 0; letter < ALPHABET; letter++) {
      sum += shares[letter] as number;
      tables[place * TABLE_STRIDE + letter + 1] = sum;
    }
  }
  return tables;
}

/** Counts as shares of 2^12: at least one unit for each letter that occurs, the rounding on the most frequent. */
function sharesOf(counts: Uint32Array): Uint16Array {
  const total = Math.max(
    counts.reduce((sum, count) => sum + count, 0),
    1,
  );
  const shares = Uint16Array.from(counts, (count) =>
    count === 0 ? 0 : Math.max(1, Math.floor((count * WHOLE) / total)),
  );
  const most = counts.indexOf(Math.max(...counts));
  const sum = shares.reduce((sofar, share) => sofar + share, 0);
  shares[most] = (shares[most] as number) + WHOLE - sum;
  return shares;
}

/** The last share is what is left. */
function writeShares(coder: RangeEncoder, shares: Uint16Array): void {
  for (let letter = 0; letter < ALPHABET - 1; letter++) encodeTail(coder, (shares[letter] as number) + 1);
}

function readShares(coder: RangeDecoder): Uint16Array {
  const shares = new Uint16Array(ALPHABET);
  let left = WHOLE;
  for (let letter = 0; letter < ALPHABET - 1; letter++) {
    const share = decodeTail(coder) - 1;
    if (share > left) {
      throw new LetheError(
        "integrity",
        "INTEGRITY_TABLE",
        `Expected shares of letters that sum to ${WHOLE}, got more: the bytes are damaged.`,
      );
    }
    shares[letter] = share;
    left -= share;
  }
  shares[ALPHABET - 1] = left;
  return shares;
}
