import { cosetGuide, cosetSide } from "../coding/coset-guide.ts";
import { contextOf, folded, unfolded } from "./fold.ts";
import { symbolQuantiser } from "./symbol-quantiser.ts";

/** Distance of the rows of points, √3 / 2 as the nearest double: the reader multiplies by the same. */
const HEIGHT = 0.8660254037844386;
const UNIT = 2 ** -32;
/** The hexagonal cell's corners are 1/√3 above and below its centre. */
const CELL_REACH = 0.5773502691896258;
/** States of the guide: before a row is known, in an even row, in an odd one. */
const [BEFORE, EVEN, ODD] = [0, 1, 2];

const guide = cosetGuide(
  3,
  (state) => (state === ODD ? 1 : 0),
  (state, parity) => (state === BEFORE ? EVEN + parity : BEFORE),
);

/**
 * The hexagonal lattice with unit distances: rows of points, every second one shifted by a half. A pair of coordinates is
 * sent as the row, then the place in it.
 *
 * Source: J. H. Conway, N. J. A. Sloane, "Fast quantizing and decoding algorithms for lattice quantizers and codes",
 * IEEE Trans. Inf. Theory 28 (1982).
 */
export const a2 = symbolQuantiser<Float64Array>({
  id: "a2",
  wireId: 5,
  title: "Hexagonal lattice A2, dithered",
  source: "Lang, Helvits, Shlezinger, arXiv 2505.03388; Conway and Sloane (1982)",
  bitsRange: [0.5, 20],
  dimension: 2,
  words: { perCoordinate: 1, more: 0 },
  hasCosets: false,
  headBytes: 0,
  /** 5 / (36 √3) of a unit-volume cell, the volume being √3 / 2. */
  errorPerSquaredStep: 5 / 72,
  isLattice: true,
  fixedReach: (bits) => HEIGHT * 2 ** (bits - 1) - CELL_REACH,
  guide: () => guide,

  dither(words) {
    const dither = new Float64Array(words.length);
    const point = new Int32Array(2);
    for (let at = 0; at < words.length; at += 2) {
      // A rectangle of two cells, whose translates by Z × √3 Z tile the plane.
      const across = 2 * HEIGHT * ((words[at] as number) * UNIT - 0.5);
      const along = (words[at + 1] as number) * UNIT - 0.5;
      nearestPoint(across, along, point);
      const [row, place] = point as unknown as readonly [number, number];
      dither[at] = across - row * HEIGHT;
      dither[at + 1] = along - place - (row & 1) / 2;
    }
    return dither;
  },

  describe(dither, { sides }) {
    for (let at = 0; at < sides.length; at += 2) {
      const row = (dither[at] as number) / HEIGHT;
      sides[at] = cosetSide(contextOf(row), Math.floor(row + 0.5), 0, 0);
      const even = dither[at + 1] as number;
      const odd = even - 0.5;
      sides[at + 1] = cosetSide(
        contextOf(even),
        Math.floor(even + 0.5),
        contextOf(odd),
        Math.floor(odd + 0.5),
      );
    }
  },

  quantise(values, step, dither, known, { symbols }) {
    const perStep = 1 / step;
    const point = new Int32Array(2);
    for (let at = 0; at < values.length; at += 2) {
      const across = (values[at] as number) * perStep + (dither[at] as number);
      const along = (values[at + 1] as number) * perStep + (dither[at + 1] as number);
      nearestPoint(across, along, point);
      const row = point[0] as number;
      symbols[at] = folded(row, (known[at] as number) / HEIGHT);
      symbols[at + 1] = folded(point[1] as number, (known[at + 1] as number) - (row & 1) / 2);
    }
  },

  reconstruct({ symbols }, step, dither, out) {
    for (let at = 0; at < out.length; at += 2) {
      const across = dither[at] as number;
      const along = dither[at + 1] as number;
      const row = unfolded(symbols[at] as number, across / HEIGHT);
      out[at] = (row * HEIGHT - across) * step;
      if (at + 1 === out.length) return;
      const shift = (row & 1) / 2;
      const place = unfolded(symbols[at + 1] as number, along - shift);
      out[at + 1] = (place + shift - along) * step;
    }
  },
});

/** Writes the nearest point as its row and its place, counted from a half in odd rows. */
function nearestPoint(across: number, along: number, point: Int32Array): void {
  const evenRow = 2 * Math.floor(across / (2 * HEIGHT) + 0.5);
  const oddRow = 2 * Math.floor(across / (2 * HEIGHT)) + 1;
  const evenPlace = Math.floor(along + 0.5);
  const oddPlace = Math.floor(along);
  const evenError = (across - evenRow * HEIGHT) ** 2 + (along - evenPlace) ** 2;
  const oddError = (across - oddRow * HEIGHT) ** 2 + (along - oddPlace - 0.5) ** 2;
  const isEven = evenError <= oddError;
  point[0] = isEven ? evenRow : oddRow;
  point[1] = isEven ? evenPlace : oddPlace;
}
