import { LetheError } from "../kernel/errors.ts";
import { LARGEST_STEP } from "./record.ts";

/** What the size of a record is steered by. */
export type Rate =
  /** The record's bits, all but the exact buffers counted, per parameter; in a sparse update per coded parameter. */
  | { readonly bitsPerParameter: number }
  /** The step in units of the coded parameters' root mean square: for theory and tests. */
  | { readonly stepPerRms: number }
  /** Bits a symbol, all equally long: no coder's statistics, and values beyond 4.5 root mean squares are clipped. */
  | { readonly fixedBits: number };

/**
 * Where a fixed rate clips, in root mean squares: γ = 1.5 of values divided by three standard deviations.
 *
 * Source: N. Lang et al., "Joint privacy enhancement and quantization in federated learning", arXiv 2208.10888, and its code.
 */
const CLIP_PER_RMS = 4.5;
/** The clip is a little inside, so that rounding cannot push a symbol out. */
const INSIDE = 1 - 2 ** -20;

/** Steps are taken from a grid of 256 an octave, so that the search is in integers and equal on every machine. */
const GRID = 256;
/** A size this near to the target ends the search. */
const TOLERANCE = 0.02;
/** The search gives its best after so many codings; it seldom takes more than two. */
const MOST_PASSES = 8;
/** Step in units of the root mean square at one bit, and octaves a further bit costs: typical of real updates. */
const STEP_AT_ONE_BIT = 2.2;
const OCTAVES_PER_BIT = 1.3;
/** Steps this many times the largest value code nothing any more, and below this share of it nothing is left to gain. */
const COARSEST = 16;
const FINEST = 2 ** -22;

/** Smaller steps would lose digits in single precision; values that small are lost in any sum of weights. */
export const SMALLEST_STEP = 2 ** -118;

/** The outcome of {@link codeAtSize}. */
export interface CodedAtSize {
  readonly step: number;
  readonly bytes: Uint8Array;
  /** How many times the values were coded. */
  readonly passes: number;
}

/**
 * Codes at the step whose output is nearest to a size, within 2 % where the source allows.
 *
 * Secant steps on log₂ Δ (piecewise linear, so that only + − × ÷ occur) inside a shrinking bracket. The last step of the
 * same client is an excellent start: then one pass usually does.
 *
 * @param code - codes everything at a step
 * @param targetBytes - size to reach
 * @param count - coordinates that `code` works on
 * @param start - first step to try
 * @param largest - largest magnitude among the coordinates
 */
export function codeAtSize(
  code: (step: number) => Uint8Array,
  targetBytes: number,
  count: number,
  start: number,
  largest: number,
): CodedAtSize {
  const ceiling = gridIndex(Math.min(largest * COARSEST, LARGEST_STEP));
  const floor = gridIndex(largest * FINEST) + 1;
  const within = (wanted: number): number => Math.max(floor, Math.min(ceiling, wanted));
  const octavesPerByte = (bytes: number): number => {
    // Slope of the rate in bits an octave: 1 at high rates, flatter where most symbols are zero.
    const bits = (8 * bytes) / count;
    return 8 / (count * Math.min(1, 0.25 + 0.45 * bits));
  };
  let finer: { index: number; size: number } | undefined;
  let coarser: { index: number; size: number } | undefined;
  let best: CodedAtSize | undefined;
  let index = within(gridIndex(start));
  for (let pass = 1; ; pass++) {
    const step = Math.max(gridStep(index), SMALLEST_STEP);
    const bytes = code(step);
    const miss = Math.abs(bytes.length - targetBytes);
    if (!best || miss < Math.abs(best.bytes.length - targetBytes)) best = { step, bytes, passes: pass };
    const here = { index, size: bytes.length };
    if (bytes.length > targetBytes) finer = here;
    else coarser = here;
    const closed = finer && coarser && coarser.index - finer.index <= 1;
    const limited = index === (bytes.length > targetBytes ? ceiling : floor);
    if (miss <= TOLERANCE * targetBytes || closed || limited || pass === MOST_PASSES)
      return { ...best, passes: pass };
    if (finer && coarser) {
      const share = (finer.size - targetBytes) / Math.max(finer.size - coarser.size, 1);
      // Keep off the ends of the bracket, so that it shrinks on both sides.
      const inner = Math.min(0.9, Math.max(0.1, share));
      index = finer.index + Math.round((coarser.index - finer.index) * inner);
      index = Math.min(coarser.index - 1, Math.max(finer.index + 1, index));
    } else {
      const octaves = (bytes.length - targetBytes) * octavesPerByte(Math.min(bytes.length, targetBytes));
      // A little further than the guess, so that the target soon lies between two tried steps.
      const move = Math.round(octaves * GRID * 1.05);
      index = within(index + (move === 0 ? Math.sign(octaves) : move));
    }
  }
}

/** The step at which values up to 4.5 root mean squares fill a fixed number of bits, and where they are clipped. */
export function fixedRateStep(rms: number, reach: number): { readonly step: number; readonly limit: number } {
  const step = Math.max(Math.fround((rms * CLIP_PER_RMS) / reach), SMALLEST_STEP);
  return { step, limit: step * reach * INSIDE };
}

/** A step to start from where there is none: what real updates typically need at this rate. */
export function typicalStep(rms: number, bitsPerParameter: number): number {
  const octaves = OCTAVES_PER_BIT * (bitsPerParameter - 1);
  return gridStep(gridIndex(rms * STEP_AT_ONE_BIT) - Math.round(octaves * GRID));
}

/** The grid's index of the largest step not above `step`: 256 log₂ step, piecewise linear. */
function gridIndex(step: number): number {
  if (!(step > 0 && step < Number.POSITIVE_INFINITY)) {
    throw new LetheError("internal", "INTERNAL_STEP", `Expected a positive step, got ${step}.`);
  }
  let octave = 0;
  let mantissa = step;
  for (; mantissa >= 2; octave++) mantissa /= 2;
  for (; mantissa < 1; octave--) mantissa *= 2;
  return GRID * octave + Math.floor((mantissa - 1) * GRID);
}

/** The step at an index of the grid: exact in single precision. */
function gridStep(index: number): number {
  const octave = Math.floor(index / GRID);
  let step = (GRID + index - octave * GRID) / GRID;
  for (let left = octave; left > 0; left--) step *= 2;
  for (let left = octave; left < 0; left++) step /= 2;
  return step;
}
