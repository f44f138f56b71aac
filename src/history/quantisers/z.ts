import { kernelOf } from "../fast/kernel.ts";
import { DISTANCE_CONTEXT } from "./fold.ts";
import { symbolQuantiser } from "./symbol-quantiser.ts";

/** The 32 random bits as a fraction: w · 2^-32 is exact in a double. */
const UNIT = 2 ** -32;

/**
 * The integers: the reference quantiser of the theorems, and the fastest.
 *
 * With w the random word, d = w/2^32 − ½ and Q(x/Δ + d) = ⌊x/Δ + w/2^32⌋. MSE = Δ²/12.
 */
export const z = symbolQuantiser<Uint32Array>({
  id: "z",
  wireId: 1,
  title: "Integers Z, dithered",
  source: "Lang, Helvits, Shlezinger, arXiv 2505.03388; Zamir (2014)",
  bitsRange: [0.25, 20],
  dimension: 1,
  words: { perCoordinate: 1, more: 0 },
  hasCosets: false,
  headBytes: 0,
  errorPerSquaredStep: 1 / 12,
  isLattice: true,
  fixedReach: (bits) => 2 ** (bits - 1) - 0.5,

  dither: (words) => words,

  describe(words, { sides }) {
    const kernel = kernelOf(sides);
    if (kernel !== undefined) {
      kernel.calls.describeIntegers(words.byteOffset, sides.byteOffset, sides.length);
      return;
    }
    for (let index = 0; index < words.length; index++) {
      const word = words[index] as number;
      // With the top bit set d ≥ 0. The other 31 bits, complemented then, are 2^32 times the distance to the next cell.
      const positive = (word | 0) >> 31;
      sides[index] = DISTANCE_CONTEXT[((word ^ positive) & 0x7fffffff) >>> 25] as number;
    }
  },

  quantise(values, step, words, known, { symbols }) {
    const perStep = 1 / step;
    const kernel = kernelOf(symbols);
    if (kernel !== undefined) {
      const [at, random, shared] = [values.byteOffset, words.byteOffset, known.byteOffset];
      kernel.calls.quantiseIntegers(at, perStep, random, shared, symbols.byteOffset, values.length);
      return;
    }
    for (let index = 0; index < values.length; index++) {
      const point = Math.floor((values[index] as number) * perStep + (words[index] as number) * UNIT);
      const positive = ((known[index] as number) | 0) >> 31;
      const folded = (point ^ positive) - positive;
      symbols[index] = (folded << 1) ^ (folded >> 31);
    }
  },

  reconstruct({ symbols }, step, words, out) {
    const kernel = kernelOf(symbols);
    if (kernel !== undefined) {
      const [from, random] = [symbols.byteOffset, words.byteOffset];
      kernel.calls.reconstructIntegers(from, step, random, out.byteOffset, out.length);
      return;
    }
    for (let index = 0; index < out.length; index++) {
      const word = words[index] as number;
      const symbol = symbols[index] as number;
      const positive = (word | 0) >> 31;
      const folded = (symbol >>> 1) ^ -(symbol & 1);
      const point = (folded ^ positive) - positive;
      out[index] = (point + 0.5 - word * UNIT) * step;
    }
  },
});
