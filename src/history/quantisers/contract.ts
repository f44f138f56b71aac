import type { Key } from "../../kernel/key.ts";
import type { Plane } from "../coding/plane.ts";
import type { SymbolCoder } from "../coding/symbol-coder.ts";
import type { Workspace } from "../workspace.ts";

/** What a quantiser works on: the coordinates of one update that are not masked as zero, and where they stand. */
export interface QuantiserInput {
  /** Finite numbers, plane after plane, row-major. */
  readonly values: Float32Array; // [count]
  /** One matrix per tensor; their sizes sum to `count`. */
  readonly planes: readonly Plane[];
  /** Key of this update's random choices. No two updates share one. */
  readonly dither: Key;
  /** False: only the writer knows the dither, and it stays in the decoded values (non-subtractive). */
  readonly isDitherShared: boolean;
  /** Turns symbols into bytes, for quantisers that make symbols. */
  readonly coder: SymbolCoder;
  readonly workspace: Workspace;
}

/** {@link QuantiserInput} without the values, for the reader. */
export type QuantiserFrame = Omit<QuantiserInput, "values"> & {
  readonly count: number;
};

/**
 * What the number given to {@link Quantiser.prepare}'s function means.
 * - `step`: the quantiser's step; the size falls as it grows, and is searched for.
 * - `size`: the bytes to use at most; the quantiser works out by itself what fits.
 * - `none`: there is one size only, and the number is ignored.
 */
export type RateControl = "step" | "size" | "none";

/**
 * One way of turning the coordinates of an update into bytes and back. A further one is one file with one value of this
 * type and a line in `index.ts`; `symbolQuantiser` builds those that send symbols, others code as they like.
 */
export interface Quantiser {
  /** Permanent name, in configurations and reports. */
  readonly id: string;
  /** Permanent number, in records: 1 to 255. */
  readonly wireId: number;
  readonly title: string;
  /** Who published it. */
  readonly source: string;
  /** Why E(x̂) ≠ x over the random choices, in a sentence; undefined for an unbiased one. */
  readonly bias?: string;
  readonly rateControl: RateControl;
  /** Bits a coded parameter from where to where it is of use; one number twice where there is one size only. */
  readonly bitsRange: readonly [number, number];
  /** Whether it sends symbols, so that the coder of a pipeline can be chosen. */
  readonly hasSymbols: boolean;
  /** Whether its dither is uniform on the cell of a lattice, so that it may stay unshared: that doubles the error only. */
  readonly isLattice?: boolean;
  /**
   * For a quantiser whose rate may be fixed: the largest magnitude, in steps, of values whose symbols all fit in so many
   * bits; 0 where there is none.
   */
  readonly fixedReach?: (bits: number) => number;
  /**
   * E(error²) per coordinate in units of step², exact for a subtractively dithered lattice; undefined where the error
   * depends on the values.
   */
  readonly errorPerSquaredStep?: number;
  /**
   * Prepares an update for coding at one or several settings (see {@link RateControl}): rate control tries a few. No value
   * is above 2^23 steps.
   */
  prepare(input: QuantiserInput): (setting: number) => Uint8Array;
  /**
   * Reads `bytes` into `out`, a pure function of its arguments on every machine: + − × ÷ on doubles, integer arithmetic
   * and rounding to float32 only.
   *
   * @param step - as written, 0 without rate control by step
   * @throws LETHE_INTEGRITY_… for bytes that no encoder has written
   */
  decode(bytes: Uint8Array, frame: QuantiserFrame, step: number, out: Float32Array): void;
}
