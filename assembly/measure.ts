/**
 * Goes on summing squares and looking for the largest magnitude; NaN shows in the sum alone.
 *
 * @param state - four sums of squares, of the values with index 0, 1, 2, 3 modulo 4, then the largest magnitude of each kind as
 *   single precision
 * @param count - a multiple of 4
 */
export function measure(values: usize, count: i32, state: usize): void {
  let squares01 = v128.load(state);
  let squares23 = v128.load(state, 16);
  let largest = v128.load(state, 32);
  for (let at: usize = 0, end = <usize>count << 2; at < end; at += 16) {
    const value = f32x4.abs(v128.load(values + at));
    const low = f64x2.promote_low_f32x4(value);
    const high = f64x2.promote_low_f32x4(v128.shuffle<i64>(value, value, 1, 1));
    squares01 = f64x2.add(squares01, f64x2.mul(low, low));
    squares23 = f64x2.add(squares23, f64x2.mul(high, high));
    largest = f32x4.pmax(largest, value);
  }
  v128.store(state, squares01);
  v128.store(state, squares23, 16);
  v128.store(state, largest, 32);
}
