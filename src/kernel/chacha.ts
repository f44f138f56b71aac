/** Words of one ChaCha block. */
const BLOCK_WORDS = 16;
/** "expand 32-byte k", the constants of the cipher. */
const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;

/**
 * Fills `out` with ChaCha key stream words, a pure function of its arguments on every machine.
 *
 * Word `i` of `out` is word `i mod 16` of block `firstBlock + ⌊i / 16⌋` (64-bit block counter, as Bernstein's original),
 * words in the cipher's own order, each read as an unsigned 32-bit integer.
 *
 * @param key - 8 words
 * @param nonce - 2 words
 * @param firstBlock - index of the first block, an integer in [0, 2^53)
 * @param rounds - 8 for bulk randomness, 20 for key derivation; even
 * @param out - any length
 * Source: D. J. Bernstein, "ChaCha, a variant of Salsa20" (2008).
 */
export function chachaWords(
  key: Uint32Array,
  nonce: readonly [number, number],
  firstBlock: number,
  rounds: number,
  out: Uint32Array,
): void {
  const k0 = key[0] as number;
  const k1 = key[1] as number;
  const k2 = key[2] as number;
  const k3 = key[3] as number;
  const k4 = key[4] as number;
  const k5 = key[5] as number;
  const k6 = key[6] as number;
  const k7 = key[7] as number;
  const [n0, n1] = nonce;
  const tail = new Uint32Array(BLOCK_WORDS);
  for (let start = 0, block = firstBlock; start < out.length; start += BLOCK_WORDS, block++) {
    const c0 = block >>> 0;
    const c1 = Math.floor(block / 0x1_0000_0000) >>> 0;
    let x0: number = SIGMA[0];
    let x1: number = SIGMA[1];
    let x2: number = SIGMA[2];
    let x3: number = SIGMA[3];
    let x4 = k0;
    let x5 = k1;
    let x6 = k2;
    let x7 = k3;
    let x8 = k4;
    let x9 = k5;
    let x10 = k6;
    let x11 = k7;
    let x12 = c0;
    let x13 = c1;
    let x14 = n0;
    let x15 = n1;
    for (let round = 0; round < rounds; round += 2) {
      x0 = (x0 + x4) | 0; x12 ^= x0; x12 = (x12 << 16) | (x12 >>> 16);
      x8 = (x8 + x12) | 0; x4 ^= x8; x4 = (x4 << 12) | (x4 >>> 20);
      x0 = (x0 + x4) | 0; x12 ^= x0; x12 = (x12 << 8) | (x12 >>> 24);
      x8 = (x8 + x12) | 0; x4 ^= x8; x4 = (x4 << 7) | (x4 >>> 25);
      x1 = (x1 + x5) | 0; x13 ^= x1; x13 = (x13 << 16) | (x13 >>> 16);
      x9 = (x9 + x13) | 0; x5 ^= x9; x5 = (x5 << 12) | (x5 >>> 20);
      x1 = (x1 + x5) | 0; x13 ^= x1; x13 = (x13 << 8) | (x13 >>> 24);
      x9 = (x9 + x13) | 0; x5 ^= x9; x5 = (x5 << 7) | (x5 >>> 25);
      x2 = (x2 + x6) | 0; x14 ^= x2; x14 = (x14 << 16) | (x14 >>> 16);
      x10 = (x10 + x14) | 0; x6 ^= x10; x6 = (x6 << 12) | (x6 >>> 20);
      x2 = (x2 + x6) | 0; x14 ^= x2; x14 = (x14 << 8) | (x14 >>> 24);
      x10 = (x10 + x14) | 0; x6 ^= x10; x6 = (x6 << 7) | (x6 >>> 25);
      x3 = (x3 + x7) | 0; x15 ^= x3; x15 = (x15 << 16) | (x15 >>> 16);
      x11 = (x11 + x15) | 0; x7 ^= x11; x7 = (x7 << 12) | (x7 >>> 20);
      x3 = (x3 + x7) | 0; x15 ^= x3; x15 = (x15 << 8) | (x15 >>> 24);
      x11 = (x11 + x15) | 0; x7 ^= x11; x7 = (x7 << 7) | (x7 >>> 25);
      x0 = (x0 + x5) | 0; x15 ^= x0; x15 = (x15 << 16) | (x15 >>> 16);
      x10 = (x10 + x15) | 0; x5 ^= x10; x5 = (x5 << 12) | (x5 >>> 20);
      x0 = (x0 + x5) | 0; x15 ^= x0; x15 = (x15 << 8) | (x15 >>> 24);
      x10 = (x10 + x15) | 0; x5 ^= x10; x5 = (x5 << 7) | (x5 >>> 25);
      x1 = (x1 + x6) | 0; x12 ^= x1; x12 = (x12 << 16) | (x12 >>> 16);
      x11 = (x11 + x12) | 0; x6 ^= x11; x6 = (x6 << 12) | (x6 >>> 20);
      x1 = (x1 + x6) | 0; x12 ^= x1; x12 = (x12 << 8) | (x12 >>> 24);
      x11 = (x11 + x12) | 0; x6 ^= x11; x6 = (x6 << 7) | (x6 >>> 25);
      x2 = (x2 + x7) | 0; x13 ^= x2; x13 = (x13 << 16) | (x13 >>> 16);
      x8 = (x8 + x13) | 0; x7 ^= x8; x7 = (x7 << 12) | (x7 >>> 20);
      x2 = (x2 + x7) | 0; x13 ^= x2; x13 = (x13 << 8) | (x13 >>> 24);
      x8 = (x8 + x13) | 0; x7 ^= x8; x7 = (x7 << 7) | (x7 >>> 25);
      x3 = (x3 + x4) | 0; x14 ^= x3; x14 = (x14 << 16) | (x14 >>> 16);
      x9 = (x9 + x14) | 0; x4 ^= x9; x4 = (x4 << 12) | (x4 >>> 20);
      x3 = (x3 + x4) | 0; x14 ^= x3; x14 = (x14 << 8) | (x14 >>> 24);
      x9 = (x9 + x14) | 0; x4 ^= x9; x4 = (x4 << 7) | (x4 >>> 25);
    }
    const whole = start + BLOCK_WORDS <= out.length;
    const target = whole ? out : tail;
    const at = whole ? start : 0;
    target[at] = x0 + SIGMA[0];
    target[at + 1] = x1 + SIGMA[1];
    target[at + 2] = x2 + SIGMA[2];
    target[at + 3] = x3 + SIGMA[3];
    target[at + 4] = x4 + k0;
    target[at + 5] = x5 + k1;
    target[at + 6] = x6 + k2;
    target[at + 7] = x7 + k3;
    target[at + 8] = x8 + k4;
    target[at + 9] = x9 + k5;
    target[at + 10] = x10 + k6;
    target[at + 11] = x11 + k7;
    target[at + 12] = x12 + c0;
    target[at + 13] = x13 + c1;
    target[at + 14] = x14 + n0;
    target[at + 15] = x15 + n1;
    if (!whole) out.set(tail.subarray(0, out.length - start), start);
  }
}
