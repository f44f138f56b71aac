import { fillRandomWords, type Key, randomStream } from "../kernel/key.ts";

/** A projection's cells are this many radii wide: rows one radius apart share one with probability 0.80. */
const CELL_RADII = 4;
/** Projections of which all cells must agree, */
const PROJECTIONS = 8;
/** in any of these tables: rows one radius apart meet with probability 1 − (1 − 0.80⁸)¹⁶ = 0.95, nearer ones surely. */
const TABLES = 16;
const HASHES = PROJECTIONS * TABLES;
const FNV_PRIME = 0x01000193;

/** Tells which rows may lie within a distance of each other. */
export interface DistanceBlocks {
  /**
   * The block of a row in each table: a row meets all rows with which it shares one.
   *
   * @param row - [length]
   * @returns one number per table, overwritten by the next call
   */
  blocksOf(row: Float32Array): Uint32Array;
}

/**
 * Locality-sensitive hashing for the Euclidean distance: h(x) = ⌊(a·x + b) / w⌋ with a standard normal, b uniform on [0, w) and
 * w = 4 · `radius`. The costs are 128 products with a row, of its entries that are not 0.
 *
 * @param length - of a row
 * @param radius - above 0
 * Source: M. Datar, N. Immorlica, P. Indyk, V. Mirrokni, "Locality-sensitive hashing scheme based on p-stable distributions", 2004.
 */
export function distanceBlocks(length: number, radius: number, key: Key): DistanceBlocks {
  const stream = randomStream(key);
  const width = CELL_RADII * radius;
  const directions = Float32Array.from({ length: length * HASHES }, () => stream.normal() / width); // [length, HASHES]
  const offsets = Float32Array.from({ length: HASHES }, () => stream.uniform());
  const salts = new Uint32Array(TABLES);
  fillRandomWords(key, salts);
  const sums = new Float32Array(HASHES);
  const blocks = new Uint32Array(TABLES);
  return {
    blocksOf(row) {
      sums.set(offsets);
      for (let at = 0; at < length; at++) {
        const value = row[at] as number;
        if (value === 0) continue;
        const start = at * HASHES;
        for (let hash = 0; hash < HASHES; hash++) {
          sums[hash] = (sums[hash] as number) + value * (directions[start + hash] as number);
        }
      }
      for (let table = 0; table < TABLES; table++) {
        let state = salts[table] as number;
        for (let hash = table * PROJECTIONS; hash < (table + 1) * PROJECTIONS; hash++) {
          state = Math.imul(state ^ Math.floor(sums[hash] as number), FNV_PRIME);
        }
        blocks[table] = state;
      }
      return blocks;
    },
  };
}
