import { BUCKETS } from "./levels.ts";

/** Letters of the alphabet; the last one is the escape to larger numbers. */
export const ALPHABET = 16;
/** Probabilities are multiples of 2^-14: cheap enough for a certain letter, exact enough in a 30-bit coder. */
export const TOTAL_BITS = 14;
/** Side contexts (distance of the dither to the next cell, or parity) within one bucket. */
const SIDE_CONTEXTS = 16;
/** Weight of one observation. The prior of a context weighs as much as sixteen of them. */
export const INCREMENT = 16;
const PRIOR_WEIGHT = 256;
/** Counts are halved above this, so that a context forgets after about two thousand letters. */
const LIMIT = 32 * 1024;
/** A context's table follows its counts after 4, 8, 16, 32 and then every 64 letters. */
const FIRST_INTERVAL = 4;
const LONGEST_INTERVAL = 64;
/** Upper end of the escape: above every code value, so that the search for a letter ends there. */
const SENTINEL = 32767;
/** [bucket]: its middle as a mean symbol in sixteenths, 4 · 2^((bucket + ½)/2) − 4, after the plain bits. */
const MEANS = [1, 3, 6, 9, 15, 23, 34, 50, 36, 52, 37, 53] as const;

/**
 * Adaptive probabilities of 16 letters in every context. Counting is one addition a letter; the cumulative table is
 * made anew at growing intervals, which is what makes coding fast without a table in the file.
 */
export interface LetterModel {
  /** [context, letter]: upper end of the letter's share, in units of 2^-14. */
  readonly upper: Uint16Array;
  /** [context, letter] */
  readonly counts: Uint16Array;
  /** [context]: letters until the table is made anew, and the length of the current interval. */
  readonly wait: Uint16Array;
  readonly interval: Uint16Array;
}

/** The state before the first letter: geometric distributions whose mean is that of the bucket. */
export const INITIAL_MODEL: LetterModel = makeInitial();

/** A copy of {@link INITIAL_MODEL}. */
export function createModel(): LetterModel {
  const { upper, counts, wait, interval } = INITIAL_MODEL;
  return { upper: upper.slice(), counts: counts.slice(), wait: wait.slice(), interval: interval.slice() };
}

function makeInitial(): LetterModel {
  const contexts = BUCKETS * SIDE_CONTEXTS;
  const model = {
    upper: new Uint16Array(contexts * ALPHABET),
    counts: new Uint16Array(contexts * ALPHABET),
    wait: new Uint16Array(contexts),
    interval: new Uint16Array(contexts).fill(FIRST_INTERVAL / 2),
  };
  for (let context = 0; context < contexts; context++) {
    const mean = MEANS[Math.floor(context / SIDE_CONTEXTS)] as number;
    fillPrior(model.counts.subarray(context * ALPHABET, (context + 1) * ALPHABET), mean);
    rebuild(model, context);
  }
  return model;
}

/** Makes a context's table follow its counts, and sets when to do so next. Integer arithmetic only. */
export function rebuild(model: LetterModel, context: number): void {
  const { upper, counts } = model;
  const base = context * ALPHABET;
  let total = 0;
  for (let at = base; at < base + ALPHABET; at++) total += counts[at] as number;
  if (total > LIMIT) {
    total = 0;
    for (let at = base; at < base + ALPHABET; at++) {
      const half = ((counts[at] as number) + 1) >>> 1;
      counts[at] = half;
      total += half;
    }
  }
  // One unit keeps every letter possible; the rest is shared in proportion to the counts. Products stay below 2^30.
  const scale = Math.floor((((1 << TOTAL_BITS) - ALPHABET) * 2 ** 16) / total);
  let sum = 0;
  for (let letter = 0; letter < ALPHABET - 1; letter++) {
    sum += counts[base + letter] as number;
    upper[base + letter] = letter + 1 + (Math.imul(sum, scale) >>> 16);
  }
  upper[base + ALPHABET - 1] = SENTINEL;
  const interval = Math.min((model.interval[context] as number) * 2, LONGEST_INTERVAL);
  model.interval[context] = interval;
  model.wait[context] = interval;
}

/** Counts of a geometric distribution with mean `mean` / 16: each letter has mean / (mean + 16) of the one before. */
function fillPrior(counts: Uint16Array, mean: number): void {
  let rest = PRIOR_WEIGHT;
  for (let letter = 0; letter < ALPHABET; letter++) {
    const share = Math.floor((rest * 16) / (mean + 16));
    counts[letter] = share + 1;
    rest -= share;
  }
}
