import { BUCKETS, meanOfBucket } from "./first-contexts.ts";
import { ALPHABET, TOTAL_BITS } from "./letter-model.ts";

/** Side contexts (distance of the dither to the next cell, or parity) within one activity bucket. */
const SIDE_CONTEXTS = 16;
/** Weight of one observation. The prior of a context weighs about as much as four of them. */
export const INCREMENT = 32;
const PRIOR_WEIGHT = 128;
/** Counts are halved above this, so that a context forgets after about a thousand symbols. */
const LIMIT = 32 * 1024;
/** A context's table follows its counts after 4, 8, 16, … and then every 128 symbols. */
const FIRST_INTERVAL = 4;
const LONGEST_INTERVAL = 128;
/** Upper end of the escape: above every code value, so that the search for a symbol ends there. */
const SENTINEL = 32767;

/**
 * The model of the first adaptive coder, which older records and all supports are coded with: adaptive probabilities of 16
 * symbols in every context. Counting is one addition a symbol; the cumulative table is
 * rebuilt at growing intervals, which is what makes coding fast without a table in the file.
 */
export interface FirstModel {
  /** [context, symbol]: upper end of the symbol's share, in units of 2^-14. */
  readonly upper: Uint16Array;
  /** [context, symbol] */
  readonly counts: Uint16Array;
  /** [context]: symbols until the next rebuild, and the length of the current interval. */
  readonly wait: Uint16Array;
  readonly interval: Uint16Array;
}

/** The state before the first symbol: geometric distributions whose mean is that of the activity bucket. */
export function createFirstModel(): FirstModel {
  const { upper, counts, wait, interval } = INITIAL;
  return { upper: upper.slice(), counts: counts.slice(), wait: wait.slice(), interval: interval.slice() };
}

function makeInitial(): FirstModel {
  const contexts = BUCKETS * SIDE_CONTEXTS;
  const model = {
    upper: new Uint16Array(contexts * ALPHABET),
    counts: new Uint16Array(contexts * ALPHABET),
    wait: new Uint16Array(contexts),
    interval: new Uint16Array(contexts).fill(FIRST_INTERVAL / 2),
  };
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const first = bucket * SIDE_CONTEXTS;
    fillPrior(model.counts.subarray(first * ALPHABET, (first + 1) * ALPHABET), meanOfBucket(bucket));
    for (let side = 1; side < SIDE_CONTEXTS; side++) {
      model.counts.copyWithin((first + side) * ALPHABET, first * ALPHABET, (first + 1) * ALPHABET);
    }
  }
  for (let context = 0; context < contexts; context++) rebuildFirst(model, context);
  return model;
}

/** Makes a context's table follow its counts, and sets when to do so next. Integer arithmetic only. */
export function rebuildFirst(model: FirstModel, context: number): void {
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
  let sum = 0;
  for (let symbol = 0; symbol < ALPHABET - 1; symbol++) {
    sum += counts[base + symbol] as number;
    // One unit keeps every symbol possible; the rest is shared in proportion to the counts.
    upper[base + symbol] = symbol + 1 + Math.floor((sum * ((1 << TOTAL_BITS) - ALPHABET)) / total);
  }
  upper[base + ALPHABET - 1] = SENTINEL;
  const interval = Math.min((model.interval[context] as number) * 2, LONGEST_INTERVAL);
  model.interval[context] = interval;
  model.wait[context] = interval;
}

/** Counts of a geometric distribution with mean `mean` / 16: each symbol has mean / (mean + 16) of the one before. */
function fillPrior(counts: Uint16Array, mean: number): void {
  let rest = PRIOR_WEIGHT;
  for (let symbol = 0; symbol < ALPHABET; symbol++) {
    const share = Math.floor((rest * 16) / (mean + 16));
    counts[symbol] = share + 1;
    rest -= share;
  }
}

const INITIAL = makeInitial();
