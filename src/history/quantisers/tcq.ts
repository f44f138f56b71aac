import { cosetSide } from "../coding/coset-guide.ts";
import { kernelOf } from "../fast/kernel.ts";
import { contextOf, folded } from "./fold.ts";
import { symbolQuantiser } from "./symbol-quantiser.ts";
import { type Trellis, ungerboeckTrellis } from "./trellis.ts";
import { cheapestPath } from "./viterbi.ts";

/** The dither covers one period of the code, 4 fine steps: d = 4 (w/2^32 − ½). */
const WORD_UNIT = 2 ** -30;
const HALF_PERIOD = 2;
/** A point can be two fine steps away, which is one step: the next integer of its kind. */
const REACH = 1;

/** [highest 8 bits of the word]: the side byte, taken at the middle of the dithers that share them. */
const SIDES = Uint8Array.from({ length: 256 }, (_, top) => {
  const dither = (top + 0.5) / 64 - HALF_PERIOD;
  const [even, odd] = [dither / 2, (dither - 1) / 2];
  return cosetSide(contextOf(even), Math.floor(even + 0.5), contextOf(odd), Math.floor(odd + 0.5));
});

/** Four states: .8 dB less error than Z at equal bits, at six times its coding time. */
export const tcq4 = tcqQuantiser(7, 0.066_27, ungerboeckTrellis(0o5, 0o2));
/** Eight states: the best of what is still quick. */
export const tcq8 = tcqQuantiser(8, 0.0649, ungerboeckTrellis(0o13, 0o4));
/** Sixty-four states: the least error at equal bits of all unbiased quantisers here. */
export const tcq64 = tcqQuantiser(9, 0.0624, ungerboeckTrellis(0o103, 0o24));

/**
 * Dithered trellis-coded quantisation, exactly unbiased: the points are the paths of integers n through a trellis whose
 * subsets are the residues of n mod 4, in fine steps of Δ/2.
 *
 *   y = the path nearest to 2x/Δ + d (Viterbi),  x̂ = (y − d) Δ/2,  d uniform on [−2, 2), start state uniform, both from the key
 *
 * The set of paths from a state is periodic by 4 in each coordinate, so (x + d) mod 4, and with it the error, is
 * independent of x. Reflecting every coordinate at a half turns the paths from one start state into those from another
 * one; with the start state uniform the error is distributed as its negative, so its mean is exactly 0. There is no
 * rate-distortion term, no clipping and no special zero: each would break this.
 *
 * Source: M. W. Marcellin, T. R. Fischer, "Trellis coded quantization", IEEE Trans. Commun. 38 (1990). Departures: dither and
 * random start; a plain infinite code, entropy-coded with the dither as context.
 *
 * @param errorPerSquaredStep - measured over 16 million values to about .00001, ends of short updates aside
 */
function tcqQuantiser(wireId: number, errorPerSquaredStep: number, trellis: Trellis) {
  const { states, next } = trellis;
  const startOf = (words: Uint32Array): number =>
    Math.floor(((words[words.length - 1] as number) / 2 ** 32) * states);
  return symbolQuantiser<Uint32Array>({
    id: `tcq${states}`,
    wireId,
    title: `Trellis-coded quantisation, ${states} states, dithered`,
    source: "Marcellin and Fischer (1990); Ungerboeck (1982)",
    bitsRange: [0.25, 20],
    dimension: 1,
    words: { perCoordinate: 1, more: 1 },
    hasCosets: false,
    headBytes: 0,
    errorPerSquaredStep,
    fixedReach: (bits) => 2 ** (bits - 1) - REACH,
    guide: (words) => ({ ...trellis.guide, start: startOf(words) }),

    dither: (words) => words,

    describe(words, { sides }) {
      const kernel = kernelOf(sides);
      const [table] = kernel?.scratch(SIDES.length) ?? [];
      if (kernel !== undefined && table !== undefined) {
        kernel.write(table, SIDES);
        kernel.calls.describeTrellis(words.byteOffset, table, sides.byteOffset, sides.length);
        return;
      }
      for (let index = 0; index < sides.length; index++) {
        sides[index] = SIDES[(words[index] as number) >>> 24] as number;
      }
    },

    quantise(values, step, words, known, { symbols }) {
      const perFineStep = 2 / step;
      if (quantiseInKernel(trellis, startOf(known), values, perFineStep, words, known, symbols)) return;
      const dithered = (index: number): number =>
        (values[index] as number) * perFineStep + ((words[index] as number) * WORD_UNIT - HALF_PERIOD);
      const path = cheapestPath(trellis, startOf(known), values.length, (first, end, costs) => {
        for (let index = first, at = 0; index < end; index++, at += 4) {
          const value = dithered(index);
          const phase = value - 4 * Math.floor(value / 4);
          // Distances to the residues 0 and 1 around a circle of 4; those to 2 and 3 are what is left of half of it.
          const to0 = phase > 2 ? 4 - phase : phase;
          const turned = phase < 1 ? 1 - phase : phase - 1;
          const to1 = turned > 2 ? 4 - turned : turned;
          costs[at] = to0 * to0;
          costs[at + 1] = (2 - to0) * (2 - to0);
          costs[at + 2] = to1 * to1;
          costs[at + 3] = (2 - to1) * (2 - to1);
        }
      });
      for (let index = 0; index < values.length; index++) {
        const kind = path[index] as number;
        const coset = kind >> 1;
        const parity = kind & 1;
        const residue = coset + 2 * parity;
        // k of the point n = 2k + coset nearest among those with this residue.
        const k = 2 * Math.floor((dithered(index) - residue) / 4 + 0.5) + parity;
        const dither = (known[index] as number) * WORD_UNIT - HALF_PERIOD;
        symbols[index] = folded(k, (dither - coset) / 2);
      }
    },

    reconstruct({ symbols, sides }, step, words, out) {
      const fineStep = step / 2;
      const kernel = kernelOf(symbols);
      if (kernel !== undefined) {
        const [from, random, at] = [symbols.byteOffset, words.byteOffset, out.byteOffset];
        // There decoding has left the trellis' states in place of the sides.
        kernel.calls.reconstructTrellis(from, fineStep, random, sides.byteOffset, at, out.length);
        return;
      }
      let state = startOf(words);
      for (let index = 0; index < out.length; index++) {
        const coset = state & 1;
        const symbol = symbols[index] as number;
        const dither = (words[index] as number) * WORD_UNIT - HALF_PERIOD;
        const centre = (dither - coset) * 0.5;
        const nearest = Math.floor(centre + 0.5);
        // (n + 1) / 2 for odd n, else −n / 2; the other way where the dither lies below its nearest point.
        const isEven = (symbol & 1) - 1;
        const turned = centre < nearest ? ~isEven : isEven;
        const k = nearest + ((((symbol + 1) >> 1) ^ turned) - turned);
        out[index] = (2 * k + coset - dither) * fineStep;
        state = next[2 * state + (k & 1)] as number;
      }
    },
  });
}

/** Bytes of costs that the kernel works on at once, and of two costs for a state. */
const COST_BYTES = 512 * 32;
const STATE_BYTES = 16;

/** False, and nothing done, where the symbols are not in the kernel's memory. */
function quantiseInKernel(
  { states, into }: Trellis,
  start: number,
  values: Float32Array,
  perFineStep: number,
  words: Uint32Array,
  known: Uint32Array,
  symbols: Int32Array,
): boolean {
  const kernel = kernelOf(symbols);
  const { length } = values;
  const decisionBytes = length * Math.ceil(states / 8);
  const [ways, decisions, work] =
    kernel?.scratch(into.length, decisionBytes, COST_BYTES + STATE_BYTES * states) ?? [];
  if (kernel === undefined || ways === undefined || decisions === undefined || work === undefined)
    return false;
  kernel.write(ways, into);
  const [at, random, shared] = [values.byteOffset, words.byteOffset, known.byteOffset];
  kernel.calls.quantiseTrellis(
    at,
    perFineStep,
    random,
    shared,
    symbols.byteOffset,
    length,
    states,
    start,
    ways,
    decisions,
    work,
  );
  return true;
}
