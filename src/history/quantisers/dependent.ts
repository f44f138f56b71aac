import { makeGuide } from "../coding/guide.ts";
import { readShifts, SHIFT_BYTES, writeShifts } from "./centroids.ts";
import { estimateRates, type RateEstimate } from "./rate-estimate.ts";
import { symbolQuantiser } from "./symbol-quantiser.ts";
import { type Trellis, ungerboeckTrellis } from "./trellis.ts";
import { cheapestPath } from "./viterbi.ts";

/** Error, in squared steps, that is worth one bit: the best of .02 to .1 on real-like updates at .5 to 3 bits. */
const LAMBDA = 0.06;

/** Dependent quantisation with four states, as in VVC. */
export const dq4 = dependentQuantiser(11, ungerboeckTrellis(0o5, 0o2));
/** Dependent quantisation with eight states, as in NNC's second edition. */
export const dq8 = dependentQuantiser(12, ungerboeckTrellis(0o13, 0o4));

/**
 * Dependent quantisation with rate-distortion optimisation: two scalar quantisers, both with a zero, and a trellis that
 * chooses between them by the parities of earlier indices.
 *
 *   Q0: x̂ = k Δ,   Q1: x̂ = (k − sign(k)/2) Δ;   the path of least ‖x − x̂‖²/Δ² + λ · bits (Viterbi)
 *
 * Source: H. Schwarz et al., "Quantization and entropy coding in the Versatile Video Coding (VVC) standard", IEEE Trans.
 * Circuits Syst. Video Technol. 31 (2021); P. Haase et al., "Dependent scalar quantization for neural network compression",
 * ICIP 2020. Departures: Ungerboeck's trellises; rates estimated from the values' neighbourhoods before the search; centroids.
 */
function dependentQuantiser(wireId: number, trellis: Trellis) {
  const { states, next } = trellis;
  const guide = makeGuide(
    states,
    (state) => state & 1,
    (state, _side, bit) => next[2 * state + bit] as number,
  );
  return symbolQuantiser<undefined>({
    id: `dq${states}`,
    wireId,
    title: `Dependent quantisation, ${states} states, rate-distortion optimised`,
    source: "Schwarz et al. (2021); Haase et al. (2020)",
    bias: "Points are chosen for their rate as well: decoded updates are shrunk, at low rates by half.",
    bitsRange: [0.05, 20],
    dimension: 1,
    words: { perCoordinate: 0, more: 0 },
    hasCosets: false,
    headBytes: SHIFT_BYTES,
    guide: () => guide,
    dither: () => undefined,
    describe(_, { sides }) {
      sides.fill(0);
    },

    quantise(values, step, _dither, _known, { symbols, head, planes }) {
      const perStep = 1 / step;
      const rates = estimateRates(values, step, planes);
      const path = cheapestPath(trellis, 0, values.length, (first, end, costs) => {
        for (let index = first; index < end; index++) {
          const size = Math.abs((values[index] as number) * perStep);
          for (let kind = 0; kind < 4; kind++) {
            const k = bestIndex(size, kind, rates, index);
            costs[4 * (index - first) + kind] = costOf(size, kind >> 1, k, rates, index);
          }
        }
      });
      let [offset1, count1, offsets, count] = [0, 0, 0, 0];
      for (let index = 0; index < values.length; index++) {
        const value = (values[index] as number) * perStep;
        const size = Math.abs(value);
        const kind = path[index] as number;
        const k = bestIndex(size, kind, rates, index);
        const offset = size - levelOf(k, kind >> 1);
        if (k === 1) {
          offset1 += offset;
          count1++;
        } else if (k > 1) {
          offsets += offset;
          count++;
        }
        symbols[index] = value > 0 && k > 0 ? 2 * k - 1 : 2 * k;
      }
      writeShifts([offset1, offsets], [count1, count], head);
    },

    reconstruct({ symbols, head }, step, _dither, out) {
      const [shift1, shift] = readShifts(head);
      let state = 0;
      for (let index = 0; index < out.length; index++) {
        const symbol = symbols[index] as number;
        const k = (symbol + 1) >> 1;
        const size = k === 0 ? 0 : (levelOf(k, state & 1) + (k === 1 ? shift1 : shift)) * step;
        out[index] = (symbol & 1) === 1 ? size : 0 - size;
        state = next[2 * state + (k & 1)] as number;
      }
    },
  });
}

/** |x̂| / Δ of an index in one of the quantisers. */
function levelOf(k: number, quantiser: number): number {
  return k === 0 ? 0 : k - quantiser / 2;
}

/** The index of one kind (2 · quantiser + parity) that costs least: the nearest, or the one below it. */
function bestIndex(size: number, kind: number, rates: RateEstimate, index: number): number {
  const quantiser = kind >> 1;
  const parity = kind & 1;
  const k = 2 * Math.floor((size + quantiser / 2 - parity) / 2 + 0.5) + parity;
  if (k < 2 || levelOf(k, quantiser) <= size) return k;
  const isLowerCheaper =
    costOf(size, quantiser, k - 2, rates, index) < costOf(size, quantiser, k, rates, index);
  return isLowerCheaper ? k - 2 : k;
}

/** Squared error in squared steps plus λ times the estimated bits. */
function costOf(
  size: number,
  quantiser: number,
  k: number,
  { buckets, bits }: RateEstimate,
  index: number,
): number {
  const at = 3 * (2 * (buckets[index] as number) + quantiser);
  const rate = k === 0 ? (bits[at] as number) : (bits[at + 1] as number) + (k - 1) * (bits[at + 2] as number);
  const error = size - levelOf(k, quantiser);
  return error * error + LAMBDA * rate;
}
