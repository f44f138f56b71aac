import { FLIPPED_PARITY_SIDE, PARITY_SIDE, parityGuide } from "../coding/guide.ts";
import { contextOf } from "./fold.ts";
import { type SymbolCode, symbolQuantiser } from "./symbol-quantiser.ts";

/** Two random bits before the point: the dither starts on the cube [0, 2)^n, whose translates by 2Z^n tile space. */
const CUBE_UNIT = 2 ** -31;
/** Side contexts of the coset: Σ|d| of a block reaches 2 where the nearest half-integer point is as near as the origin. */
const COSET_CONTEXTS_PER_UNIT = 4;
const COSET_CONTEXTS = 8;
/** The cell reaches one step from its centre, and a parity coordinate needs one symbol to spare. */
const CELL_REACH = 2;

/** What distinguishes D4 and E8 from each other. */
export interface Checkerboard
  extends Pick<SymbolCode<Float64Array>, "id" | "wireId" | "title" | "source" | "bitsRange"> {
  readonly dimension: number;
  /** Whether D_n + ½ belongs to the lattice. */
  readonly hasCosets: boolean;
  /** Second moment of the Voronoi cell per coordinate, at scale 1. */
  readonly errorPerSquaredStep: number;
}

/**
 * The lattices D_n (integer vectors of even sum) and D_n ∪ (D_n + ½). A block is sent as its coset c, where there are two,
 * and the integers y − c/2; the parity of the last one is known.
 *
 * Source: J. H. Conway, N. J. A. Sloane, "Fast quantizing and decoding algorithms for lattice quantizers and codes",
 * IEEE Trans. Inf. Theory 28 (1982).
 */
export function checkerboardQuantiser(lattice: Checkerboard) {
  const { dimension, hasCosets } = lattice;
  const nearest = hasCosets ? nearestOfTwo(dimension) : nearestOfOne;
  return symbolQuantiser<Float64Array>({
    ...lattice,
    words: { perCoordinate: 1, more: 0 },
    headBytes: 0,
    isLattice: true,
    fixedReach: (bits) => Math.max(0, 2 ** (bits - 1) - CELL_REACH),
    guide: () => parityGuide,

    dither(words) {
      const dither = new Float64Array(words.length);
      const point = new Float64Array(dimension);
      for (let start = 0; start < words.length; start += dimension) {
        const block = dither.subarray(start, start + dimension);
        for (let index = 0; index < dimension; index++) {
          block[index] = (words[start + index] as number) * CUBE_UNIT;
        }
        nearest(block, point);
        for (let index = 0; index < dimension; index++) {
          block[index] = (block[index] as number) - (point[index] as number);
        }
      }
      return dither;
    },

    describeCosets(dither, { cosetSides }) {
      for (let block = 0; block < cosetSides.length; block++) {
        let sum = 0;
        for (let index = block * dimension; index < (block + 1) * dimension; index++) {
          sum += Math.abs(dither[index] as number);
        }
        cosetSides[block] = Math.min(Math.floor(sum * COSET_CONTEXTS_PER_UNIT), COSET_CONTEXTS - 1);
      }
    },

    describe(dither, { sides, cosets }) {
      for (let start = 0; start < sides.length; start += dimension) {
        const shift = hasCosets ? (cosets[start / dimension] as number) / 2 : 0;
        let parity = 0;
        for (let index = start; index < start + dimension; index++) {
          const centre = (dither[index] as number) - shift;
          parity ^= Math.floor(centre + 0.5) & 1;
          sides[index] = contextOf(centre);
        }
        sides[start + dimension - 1] = parity === 0 ? PARITY_SIDE : FLIPPED_PARITY_SIDE;
      }
    },

    quantise(values, step, dither, known, { symbols, cosets }) {
      const perStep = 1 / step;
      const input = new Float64Array(dimension);
      const point = new Float64Array(dimension);
      for (let start = 0; start < values.length; start += dimension) {
        for (let index = 0; index < dimension; index++) {
          input[index] = (values[start + index] as number) * perStep + (dither[start + index] as number);
        }
        const coset = nearest(input, point);
        if (hasCosets) cosets[start / dimension] = coset;
        for (let index = 0; index < dimension; index++) {
          const centre = (known[start + index] as number) - coset / 2;
          const rounded = Math.floor(centre + 0.5);
          const offset = (point[index] as number) - coset / 2 - rounded;
          const ordered = centre < rounded ? -offset : offset;
          // The parity of the last offset is known: half of it says all.
          const folded = index === dimension - 1 ? ordered >> 1 : ordered;
          symbols[start + index] = folded > 0 ? 2 * folded - 1 : -2 * folded;
        }
      }
    },

    reconstruct({ symbols, cosets }, step, dither, out) {
      for (let start = 0; start < symbols.length; start += dimension) {
        const shift = hasCosets ? (cosets[start / dimension] as number) / 2 : 0;
        let parity = 0;
        for (let index = 0; index < dimension; index++) {
          const at = start + index;
          const centre = (dither[at] as number) - shift;
          const rounded = Math.floor(centre + 0.5);
          const symbol = symbols[at] as number;
          let ordered = (symbol & 1) === 1 ? (symbol + 1) >> 1 : -(symbol >> 1);
          parity ^= rounded & 1;
          if (index === dimension - 1) ordered = 2 * ordered + parity;
          else parity ^= ordered & 1;
          if (at >= out.length) return;
          const point = rounded + (centre < rounded ? -ordered : ordered) + shift;
          out[at] = (point - (dither[at] as number)) * step;
        }
      }
    },
  });
}

/** Writes the point of the lattice nearest to `input` into `point` and returns its coset: 1 for half-integer coordinates. */
type NearestPoint = (input: Float64Array, point: Float64Array) => 0 | 1;

const nearestOfOne: NearestPoint = (input, point) => {
  nearestEven(input, 0, point);
  return 0;
};

function nearestOfTwo(dimension: number): NearestPoint {
  const half = new Float64Array(dimension);
  return (input, point) => {
    const integerError = nearestEven(input, 0, point);
    const halfError = nearestEven(input, 0.5, half);
    if (integerError <= halfError) return 0;
    point.set(half);
    return 1;
  };
}

/** The point of D_n + shift nearest to `input`: round, and if the sum is odd, round the worst coordinate the other way. */
function nearestEven(input: Float64Array, shift: number, point: Float64Array): number {
  let sum = 0;
  let squares = 0;
  let worst = 0;
  let worstError = 0;
  for (let index = 0; index < input.length; index++) {
    const centred = (input[index] as number) - shift;
    const rounded = Math.floor(centred + 0.5);
    const error = centred - rounded;
    sum += rounded;
    squares += error * error;
    point[index] = rounded + shift;
    if (Math.abs(error) > Math.abs(worstError)) {
      worst = index;
      worstError = error;
    }
  }
  if ((sum & 1) === 0) return squares;
  point[worst] = (point[worst] as number) + (worstError < 0 ? -1 : 1);
  // (1 − |e|)² replaces e².
  return squares + 1 - 2 * Math.abs(worstError);
}
