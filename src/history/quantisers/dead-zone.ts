import { readShifts, SHIFT_BYTES, writeShifts } from "./centroids.ts";
import { symbolQuantiser } from "./symbol-quantiser.ts";

/** A value goes to the index above from 1 − .38 of a step on: the best of .3 to .5 on real updates at 1 to 3 bits. */
const ROUNDING = 0.38;

/**
 * Scalar quantisation without dither, with a wider cell around zero and points shifted to the mean of their cells:
 *
 *   k = sign(x) ⌊|x|/Δ + .38⌋,  x̂ = sign(k) (|k| + shift(|k|)) Δ
 *
 * Source: G. J. Sullivan, "Efficient scalar quantization of exponential and Laplacian random variables", IEEE Trans. Inf.
 * Theory 42 (1996).
 */
export const deadZone = symbolQuantiser<undefined>({
  id: "deadzone",
  wireId: 10,
  title: "Dead zone with centroids",
  source: "Sullivan (1996)",
  bias: "Small values become 0: decoded updates are shrunk, at low rates by half.",
  bitsRange: [0.05, 20],
  dimension: 1,
  words: { perCoordinate: 0, more: 0 },
  hasCosets: false,
  headBytes: SHIFT_BYTES,
  dither: () => undefined,
  describe(_, { sides }) {
    sides.fill(0);
  },
  quantise(values, step, _dither, _known, { symbols, head }) {
    const perStep = 1 / step;
    let [offset1, count1, offsets, count] = [0, 0, 0, 0];
    for (let index = 0; index < values.length; index++) {
      const value = (values[index] as number) * perStep;
      const size = Math.abs(value);
      const k = Math.floor(size + ROUNDING);
      if (k === 1) {
        offset1 += size - 1;
        count1++;
      } else if (k > 1) {
        offsets += size - k;
        count++;
      }
      symbols[index] = value > 0 && k > 0 ? 2 * k - 1 : 2 * k;
    }
    writeShifts([offset1, offsets], [count1, count], head);
  },
  reconstruct({ symbols, head }, step, _dither, out) {
    const [shift1, shift] = readShifts(head);
    for (let index = 0; index < out.length; index++) {
      const symbol = symbols[index] as number;
      const k = (symbol + 1) >> 1;
      const size = k === 0 ? 0 : (k + (k === 1 ? shift1 : shift)) * step;
      out[index] = (symbol & 1) === 1 ? size : 0 - size;
    }
  },
});
