/** Blocks that are made at once, one in each lane. */
const LANES: i32 = 4;
const ROUNDS: i32 = 8;

// @ts-ignore: decorator
@inline
function turn(word: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(word, bits), i32x4.shr_u(word, 32 - bits));
}

/**
 * Writes the words of `chachaWords(key, [0, 0], 0, 8, …)`, four blocks at a time.
 *
 * @param key - 8 words
 * @param out - space for `count` words, rounded up to a multiple of 64
 */
export function fillWords(key: usize, out: usize, count: i32): void {
  const k0 = v128.load32_splat(key), k1 = v128.load32_splat(key, 4), k2 = v128.load32_splat(key, 8), k3 = v128.load32_splat(key, 12);
  const k4 = v128.load32_splat(key, 16), k5 = v128.load32_splat(key, 20), k6 = v128.load32_splat(key, 24), k7 = v128.load32_splat(key, 28);
  const s0 = i32x4.splat(0x61707865), s1 = i32x4.splat(0x3320646e), s2 = i32x4.splat(0x79622d32), s3 = i32x4.splat(0x6b206574);
  const zero = i32x4.splat(0);
  let counter = i32x4(0, 1, 2, 3);
  for (let first = 0; first < count; first += 16 * LANES) {
    let x0 = s0, x1 = s1, x2 = s2, x3 = s3, x4 = k0, x5 = k1, x6 = k2, x7 = k3;
    let x8 = k4, x9 = k5, x10 = k6, x11 = k7, x12 = counter, x13 = zero, x14 = zero, x15 = zero;
    for (let round = 0; round < ROUNDS; round += 2) {
      x0 = i32x4.add(x0, x4); x12 = turn(v128.xor(x12, x0), 16); x8 = i32x4.add(x8, x12); x4 = turn(v128.xor(x4, x8), 12);
      x1 = i32x4.add(x1, x5); x13 = turn(v128.xor(x13, x1), 16); x9 = i32x4.add(x9, x13); x5 = turn(v128.xor(x5, x9), 12);
      x2 = i32x4.add(x2, x6); x14 = turn(v128.xor(x14, x2), 16); x10 = i32x4.add(x10, x14); x6 = turn(v128.xor(x6, x10), 12);
      x3 = i32x4.add(x3, x7); x15 = turn(v128.xor(x15, x3), 16); x11 = i32x4.add(x11, x15); x7 = turn(v128.xor(x7, x11), 12);
      x0 = i32x4.add(x0, x4); x12 = turn(v128.xor(x12, x0), 8); x8 = i32x4.add(x8, x12); x4 = turn(v128.xor(x4, x8), 7);
      x1 = i32x4.add(x1, x5); x13 = turn(v128.xor(x13, x1), 8); x9 = i32x4.add(x9, x13); x5 = turn(v128.xor(x5, x9), 7);
      x2 = i32x4.add(x2, x6); x14 = turn(v128.xor(x14, x2), 8); x10 = i32x4.add(x10, x14); x6 = turn(v128.xor(x6, x10), 7);
      x3 = i32x4.add(x3, x7); x15 = turn(v128.xor(x15, x3), 8); x11 = i32x4.add(x11, x15); x7 = turn(v128.xor(x7, x11), 7);
      x0 = i32x4.add(x0, x5); x15 = turn(v128.xor(x15, x0), 16); x10 = i32x4.add(x10, x15); x5 = turn(v128.xor(x5, x10), 12);
      x1 = i32x4.add(x1, x6); x12 = turn(v128.xor(x12, x1), 16); x11 = i32x4.add(x11, x12); x6 = turn(v128.xor(x6, x11), 12);
      x2 = i32x4.add(x2, x7); x13 = turn(v128.xor(x13, x2), 16); x8 = i32x4.add(x8, x13); x7 = turn(v128.xor(x7, x8), 12);
      x3 = i32x4.add(x3, x4); x14 = turn(v128.xor(x14, x3), 16); x9 = i32x4.add(x9, x14); x4 = turn(v128.xor(x4, x9), 12);
      x0 = i32x4.add(x0, x5); x15 = turn(v128.xor(x15, x0), 8); x10 = i32x4.add(x10, x15); x5 = turn(v128.xor(x5, x10), 7);
      x1 = i32x4.add(x1, x6); x12 = turn(v128.xor(x12, x1), 8); x11 = i32x4.add(x11, x12); x6 = turn(v128.xor(x6, x11), 7);
      x2 = i32x4.add(x2, x7); x13 = turn(v128.xor(x13, x2), 8); x8 = i32x4.add(x8, x13); x7 = turn(v128.xor(x7, x8), 7);
      x3 = i32x4.add(x3, x4); x14 = turn(v128.xor(x14, x3), 8); x9 = i32x4.add(x9, x14); x4 = turn(v128.xor(x4, x9), 7);
    }
    const at = out + (<usize>first << 2);
    storeBlocks(at, i32x4.add(x0, s0), i32x4.add(x1, s1), i32x4.add(x2, s2), i32x4.add(x3, s3));
    storeBlocks(at + 16, i32x4.add(x4, k0), i32x4.add(x5, k1), i32x4.add(x6, k2), i32x4.add(x7, k3));
    storeBlocks(at + 32, i32x4.add(x8, k4), i32x4.add(x9, k5), i32x4.add(x10, k6), i32x4.add(x11, k7));
    storeBlocks(at + 48, i32x4.add(x12, counter), x13, x14, x15);
    counter = i32x4.add(counter, i32x4.splat(LANES));
  }
}

/** Four words of each of four blocks, turned from words in lanes to blocks in a row. */
// @ts-ignore: decorator
@inline
function storeBlocks(at: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab01 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const ab23 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd01 = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const cd23 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(at, v128.shuffle<i64>(ab01, cd01, 0, 2));
  v128.store(at + 64, v128.shuffle<i64>(ab01, cd01, 1, 3));
  v128.store(at + 128, v128.shuffle<i64>(ab23, cd23, 0, 2));
  v128.store(at + 192, v128.shuffle<i64>(ab23, cd23, 1, 3));
}
