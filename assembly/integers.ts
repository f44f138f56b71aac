/** w · 2^-32: the random word as a fraction. */
const UNIT: f64 = 1.0 / 4294967296.0;

/** `describe` of the quantiser `z`: how many of the distances 1, 2, 4, 8, 12, 16, 24 are above that of the next cell. */
export function describeIntegers(words: usize, sides: usize, count: i32): void {
  for (let at: usize = 0, end = <usize>count; at < end; at += 16) {
    const from = words + (at << 2);
    const low = i16x8.narrow_i32x4_s(distances(v128.load(from)), distances(v128.load(from, 16)));
    const high = i16x8.narrow_i32x4_s(distances(v128.load(from, 32)), distances(v128.load(from, 48)));
    const distance = i8x16.narrow_i16x8_s(low, high);
    let above = i8x16.lt_s(distance, i8x16.splat(1));
    above = i8x16.add(above, i8x16.lt_s(distance, i8x16.splat(2)));
    above = i8x16.add(above, i8x16.lt_s(distance, i8x16.splat(4)));
    above = i8x16.add(above, i8x16.lt_s(distance, i8x16.splat(8)));
    above = i8x16.add(above, i8x16.lt_s(distance, i8x16.splat(12)));
    above = i8x16.add(above, i8x16.lt_s(distance, i8x16.splat(16)));
    above = i8x16.add(above, i8x16.lt_s(distance, i8x16.splat(24)));
    v128.store(sides + at, i8x16.neg(above));
  }
}

/** Distances to the next cell, 0 to 63. */
// @ts-ignore: decorator
@inline
function distances(word: v128): v128 {
  return i32x4.shr_u(v128.and(v128.xor(word, i32x4.shr_s(word, 31)), i32x4.splat(0x7fffffff)), 25);
}

/** `quantise` of the quantiser `z`. */
export function quantiseIntegers(
  values: usize,
  perStep: f64,
  words: usize,
  known: usize,
  symbols: usize,
  count: i32,
): void {
  const scale = f64x2.splat(perStep);
  const unit = f64x2.splat(UNIT);
  const end = <usize>count << 2;
  for (let at: usize = 0; at < end; at += 16) {
    const value = v128.load(values + at);
    const word = v128.load(words + at);
    const low = f64x2.floor(
      f64x2.add(
        f64x2.mul(f64x2.promote_low_f32x4(value), scale),
        f64x2.mul(f64x2.convert_low_i32x4_u(word), unit),
      ),
    );
    const high = f64x2.floor(
      f64x2.add(
        f64x2.mul(f64x2.promote_low_f32x4(v128.shuffle<i64>(value, value, 1, 1)), scale),
        f64x2.mul(f64x2.convert_low_i32x4_u(v128.shuffle<i64>(word, word, 1, 1)), unit),
      ),
    );
    const point = v128.shuffle<i64>(
      i32x4.trunc_sat_f64x2_s_zero(low),
      i32x4.trunc_sat_f64x2_s_zero(high),
      0,
      2,
    );
    const positive = i32x4.shr_s(v128.load(known + at), 31);
    const folded = i32x4.sub(v128.xor(point, positive), positive);
    v128.store(symbols + at, v128.xor(i32x4.shl(folded, 1), i32x4.shr_s(folded, 31)));
  }
}

/** `reconstruct` of the quantiser `z`. */
export function reconstructIntegers(symbols: usize, step: f64, words: usize, out: usize, count: i32): void {
  const scale = f64x2.splat(step);
  const unit = f64x2.splat(UNIT);
  const half = f64x2.splat(0.5);
  const one = i32x4.splat(1);
  const end = <usize>count << 2;
  for (let at: usize = 0; at < end; at += 16) {
    const word = v128.load(words + at);
    const symbol = v128.load(symbols + at);
    const positive = i32x4.shr_s(word, 31);
    const folded = v128.xor(i32x4.shr_u(symbol, 1), i32x4.neg(v128.and(symbol, one)));
    const point = i32x4.sub(v128.xor(folded, positive), positive);
    const low = f64x2.mul(
      f64x2.sub(
        f64x2.add(f64x2.convert_low_i32x4_s(point), half),
        f64x2.mul(f64x2.convert_low_i32x4_u(word), unit),
      ),
      scale,
    );
    const high = f64x2.mul(
      f64x2.sub(
        f64x2.add(f64x2.convert_low_i32x4_s(v128.shuffle<i64>(point, point, 1, 1)), half),
        f64x2.mul(f64x2.convert_low_i32x4_u(v128.shuffle<i64>(word, word, 1, 1)), unit),
      ),
      scale,
    );
    v128.store(
      out + at,
      v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2),
    );
  }
}
