// The letter model and the tables of contexts, at fixed addresses below every vector. src/history/fast/kernel.ts fills the
// initial model and the tables; the rest is made from them.

/** Addresses: [mean below 1024] its level; [sum of two levels] the entry. */
export const LEVELS: usize = 1024;
export const ENTRIES: usize = 2048;
/** 192 contexts: 16 upper ends of 4 bytes, 16 counts of 2 bytes, letters to wait of 2 bytes, interval of 2 bytes. */
export const INITIAL_MODEL: usize = 4096;
export const MODEL: usize = 24576;
const UPPER: usize = 0;
const COUNTS: usize = 12288;
const WAIT: usize = 18432;
const INTERVAL: usize = 18816;
const MODEL_BYTES: usize = 19200;

export const ESCAPE: u32 = 15;
export const TOTAL_BITS: u32 = 14;
const INCREMENT: u32 = 16;
const LIMIT: u32 = 32768;
const LONGEST_INTERVAL: u32 = 64;

export function startModel(): void {
  memory.copy(MODEL, INITIAL_MODEL, MODEL_BYTES);
}

/** Address of the upper ends of a context. */
// @ts-ignore: decorator
@inline
export function uppersOf(context: u32): usize {
  return MODEL + UPPER + (<usize>context << 6);
}

/** Counts a letter, and makes the context's table anew when it is time. */
// @ts-ignore: decorator
@inline
export function countLetter(context: u32, letter: u32): void {
  const at = MODEL + COUNTS + (<usize>context << 5) + (<usize>letter << 1);
  store<u16>(at, <u16>(<u32>load<u16>(at) + INCREMENT));
  const waitAt = MODEL + WAIT + (<usize>context << 1);
  const left = <u32>load<u16>(waitAt) - 1;
  store<u16>(waitAt, <u16>left);
  if (left === 0) rebuild(context);
}

function rebuild(context: u32): void {
  const counts = MODEL + COUNTS + (<usize>context << 5);
  const upper = uppersOf(context);
  let total: u32 = 0;
  for (let at: usize = 0; at < 32; at += 2) total += <u32>load<u16>(counts + at);
  if (total > LIMIT) {
    total = 0;
    for (let at: usize = 0; at < 32; at += 2) {
      const half = (<u32>load<u16>(counts + at) + 1) >> 1;
      store<u16>(counts + at, <u16>half);
      total += half;
    }
  }
  const scale: u32 = (((1 << TOTAL_BITS) - 16) << 16) / total;
  let sum: u32 = 0;
  for (let letter: u32 = 0; letter < ESCAPE; letter++) {
    const at = <usize>letter << 1;
    sum += <u32>load<u16>(counts + at);
    store<u32>(upper + (<usize>letter << 2), letter + 1 + ((sum * scale) >> 16));
  }
  const intervalAt = MODEL + INTERVAL + (<usize>context << 1);
  const interval = min(<u32>load<u16>(intervalAt) * 2, LONGEST_INTERVAL);
  store<u16>(intervalAt, <u16>interval);
  store<u16>(MODEL + WAIT + (<usize>context << 1), <u16>interval);
}

/** As `levelOf` of src/history/coding/levels.ts. */
// @ts-ignore: decorator
@inline
export function levelOf(mean: u32): u32 {
  if (mean < 1024) return <u32>load<u8>(LEVELS + mean);
  const shifted = mean + 4;
  const octave: u32 = 31 - clz(shifted);
  return 8 * (octave - 2) + ((shifted >> (octave - 3)) & 7);
}

/** As `ENTRIES` there, by the sum of two levels. */
// @ts-ignore: decorator
@inline
export function entryAt(sum: u32): u32 {
  return <u32>load<u16>(ENTRIES + (<usize>sum << 1));
}
