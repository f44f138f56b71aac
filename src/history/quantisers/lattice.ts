import { LetheError } from "../../kernel/errors.ts";
import { fillRandomWords, type Key } from "../../kernel/key.ts";
import { decodeSymbols } from "../coding/decode-symbols.ts";
import { encodeSymbols } from "../coding/encode-symbols.ts";
import type { Plane } from "../coding/plane.ts";
import { finishEncoder, isAtEnd, startDecoder, startEncoder } from "../coding/range-coder.ts";
import { createModel } from "../coding/symbol-model.ts";
import { createWorkspace, type Workspace } from "../workspace.ts";
import type { Quantiser } from "./contract.ts";

/** A guess of the coded size that seldom has to grow: a third of a byte a coordinate. */
const EXPECTED_SHARE = 1 / 3;

/** The symbols of an update and what is known before reading each of them. */
export interface LatticeSymbols {
  /** Folded index of each coordinate: 0 for the point that a zero would get, then by distance. */
  readonly symbols: Int32Array; // [count], a multiple of the dimension
  /** Side context of each coordinate, as `encodeSymbols` reads it. */
  readonly sides: Uint8Array; // [count]
  /** Which translate of the integer sublattice each block lies in (0 or 1); empty for a lattice without. */
  readonly cosets: Int32Array; // [blocks]
  readonly cosetSides: Uint8Array; // [blocks]
}

/**
 * A lattice as loops over whole vectors: one call a vector, so that they run at full speed. `Dither` is the form in
 * which it wants its random offset.
 */
export interface Lattice<Dither> {
  readonly id: string;
  readonly wireId: number;
  readonly title: string;
  readonly dimension: number;
  readonly hasCosets: boolean;
  /** Second moment of the Voronoi cell per coordinate, at scale 1. */
  readonly secondMoment: number;
  /** The offset d, uniform on the Voronoi cell, from one random word a coordinate. */
  dither(words: Uint32Array): Dither;
  /** Fills `sides` from the dither, and from `cosets` where there are any. */
  describe(dither: Dither, into: LatticeSymbols): void;
  /** Fills `cosetSides` from the dither; only where there are cosets. */
  describeCosets(dither: Dither, into: LatticeSymbols): void;
  /** Fills `symbols` and `cosets` with the points nearest to values / step + d. */
  quantise(values: Float32Array, step: number, dither: Dither, into: LatticeSymbols): void;
  /** (point − d) · step rounded to single precision, for the first `out.length` coordinates. */
  reconstruct(from: LatticeSymbols, step: number, dither: Dither, out: Float32Array): void;
}

/**
 * Subtractively dithered lattice quantisation with adaptive range coding.
 *
 *   y = Q_Λ(x/Δ + d),  x̂ = (y − d) Δ,  d uniform on the Voronoi cell of Λ
 *
 * The error x̂ − x is uniform on the cell scaled by Δ and independent of x: unbiased, with exactly known variance.
 *
 * Source: R. Zamir, "Lattice Coding for Signals and Networks" (2014), ch. 4; N. Lang et al., arXiv 2505.03388, stage C.
 */
export function latticeQuantiser<Dither>(lattice: Lattice<Dither>): Quantiser {
  return {
    id: lattice.id,
    wireId: lattice.wireId,
    title: lattice.title,
    hasStep: true,
    errorPerSquaredStep: lattice.secondMoment,
    prepare({ values, planes, dither: key }) {
      const { work, dither, allPlanes } = open(lattice, values.length, planes, key, createWorkspace());
      const padded = work.symbols.length === values.length ? values : new Float32Array(work.symbols.length);
      if (padded !== values) padded.set(values);
      return (step) => {
        lattice.quantise(padded, step, dither, work);
        const coder = startEncoder(Math.ceil(values.length * EXPECTED_SHARE) + 64);
        if (lattice.hasCosets) {
          encodeSymbols(coder, createModel(), work.cosets, work.cosetSides, cosetPlanes(work));
          lattice.describe(dither, work);
        }
        encodeSymbols(coder, createModel(), work.symbols, work.sides, allPlanes);
        return finishEncoder(coder);
      };
    },
    decode(bytes, { count, planes, dither: key, workspace }, step, out) {
      const { work, dither, allPlanes } = open(lattice, count, planes, key, workspace);
      const coder = startDecoder(bytes);
      if (lattice.hasCosets) {
        decodeSymbols(coder, createModel(), work.cosets, work.cosetSides, cosetPlanes(work));
        if (work.cosets.some((coset) => coset > 1)) throw damaged(lattice.id);
        lattice.describe(dither, work);
      }
      decodeSymbols(coder, createModel(), work.symbols, work.sides, allPlanes);
      if (!isAtEnd(coder)) throw damaged(lattice.id);
      lattice.reconstruct(work, step, dither, out);
    },
  };
}

/** Buffers and everything that is known before the first symbol; the buffers hold what they held before. */
function open<Dither>(
  lattice: Lattice<Dither>,
  count: number,
  planes: readonly Plane[],
  key: Key,
  workspace: Workspace,
) {
  const blocks = Math.ceil(count / lattice.dimension);
  const length = blocks * lattice.dimension;
  const cosets = lattice.hasCosets ? blocks : 0;
  const work: LatticeSymbols = {
    symbols: workspace.symbols(length),
    sides: workspace.sides(length),
    cosets: workspace.cosets(cosets),
    cosetSides: workspace.cosetSides(cosets),
  };
  const words = workspace.words(length);
  fillRandomWords(key, words);
  const dither = lattice.dither(words);
  if (lattice.hasCosets) lattice.describeCosets(dither, work);
  else lattice.describe(dither, work);
  const allPlanes = length === count ? planes : [...planes, { rows: 1, columns: length - count }];
  return { work, dither, allPlanes };
}

function cosetPlanes(work: LatticeSymbols): readonly Plane[] {
  return [{ rows: 1, columns: work.cosets.length }];
}

function damaged(id: string): LetheError {
  return new LetheError(
    "integrity",
    "INTEGRITY_SYMBOLS",
    `Expected symbols as quantiser \`${id}\` writes them, got bytes that end elsewhere: they are damaged.`,
    { details: { quantiser: id } },
  );
}
