/** The dither covers one period of the code, 4 fine steps: d = w · 2^-30 − 2. */
const WORD_UNIT: f64 = 1.0 / 1073741824.0;
const HALF_PERIOD: f64 = 2;
/** Coordinates whose branch costs are worked out at once, and bytes of one coordinate's costs. */
const CHUNK: i32 = 512;
const COSTS: usize = 32;

/**
 * `describe` of the quantisers `tcq`.
 *
 * @param table - 256 bytes: the side byte of a word by its highest 8 bits
 */
export function describeTrellis(words: usize, table: usize, sides: usize, count: i32): void {
  for (let at = 0; at < count; at++) {
    store<u8>(sides + at, load<u8>(table + <usize>load<u8>(words + (<usize>at << 2), 3)));
  }
}

/**
 * `quantise` of the quantisers `tcq`: the cheapest path through the trellis, and the symbols of its points.
 *
 * @param perFineStep - 2 / step
 * @param into - [2 · states]: the two ways into a state, each as 2 · earlier state + parity
 * @param decisions - ⌈states / 8⌉ bytes a coordinate
 * @param work - CHUNK · 32 bytes, then twice 8 bytes a state
 */
export function quantiseTrellis(
  values: usize,
  perFineStep: f64,
  words: usize,
  known: usize,
  symbols: usize,
  count: i32,
  states: i32,
  start: i32,
  into: usize,
  decisions: usize,
  work: usize,
): void {
  const before = work + <usize>CHUNK * COSTS;
  for (let state = 0; state < states; state++) {
    store<f64>(before + (<usize>state << 3), state === start ? 0 : Infinity);
  }
  const bytes = (states + 7) >> 3;
  for (let first = 0; first < count; first += CHUNK) {
    const length = min(CHUNK, count - first);
    const offset = <usize>first << 2;
    fillCosts(values + offset, perFineStep, words + offset, work, length);
    const at = decisions + <usize>(first * bytes);
    if (states === 4) goOnThrough4(work, before, at, length);
    else if (states === 8) goOnThrough8(work, before, at, length);
    else goOnThrough(work, before, at, length, states, into);
  }
  let state = 0;
  for (let other = 1; other < states; other++) {
    if (load<f64>(before + (<usize>other << 3)) < load<f64>(before + (<usize>state << 3))) state = other;
  }
  for (let index = count - 1; index >= 0; index--) {
    const byte = <i32>load<u8>(decisions + <usize>(index * bytes + (state >> 3)));
    const way = <i32>load<u8>(into + <usize>(2 * state + ((byte >> (state & 7)) & 1)));
    // The coset is the lowest bit of the state that the way comes from.
    store<i32>(symbols + (<usize>index << 2), way & 3);
    state = way >> 1;
  }
  numberPoints(values, perFineStep, words, known, symbols, count);
}

/** Squared distances to the four residues: [coset 0 even, odd, coset 1 even, odd] for every coordinate. */
function fillCosts(values: usize, perFineStep: f64, words: usize, costs: usize, count: i32): void {
  const scale = f64x2.splat(perFineStep);
  const unit = f64x2.splat(WORD_UNIT);
  const quarter = f64x2.splat(0.25);
  const one = f64x2.splat(1);
  const two = f64x2.splat(2);
  const four = f64x2.splat(4);
  let out = costs;
  for (let at: usize = 0, end = <usize>count << 2; at < end; at += 8) {
    const value = f64x2.add(
      f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(values + at)), scale),
      f64x2.sub(f64x2.mul(f64x2.convert_low_i32x4_u(v128.load64_zero(words + at)), unit), two),
    );
    const phase = f64x2.sub(value, f64x2.mul(four, f64x2.floor(f64x2.mul(value, quarter))));
    const to0 = v128.bitselect(f64x2.sub(four, phase), phase, f64x2.gt(phase, two));
    const turned = v128.bitselect(f64x2.sub(one, phase), f64x2.sub(phase, one), f64x2.lt(phase, one));
    const to1 = v128.bitselect(f64x2.sub(four, turned), turned, f64x2.gt(turned, two));
    const from0 = f64x2.sub(two, to0);
    const from1 = f64x2.sub(two, to1);
    const even0 = f64x2.mul(to0, to0);
    const odd0 = f64x2.mul(from0, from0);
    const even1 = f64x2.mul(to1, to1);
    const odd1 = f64x2.mul(from1, from1);
    v128.store(out, v128.shuffle<i64>(even0, odd0, 0, 2));
    v128.store(out, v128.shuffle<i64>(even1, odd1, 0, 2), 16);
    v128.store(out, v128.shuffle<i64>(even0, odd0, 1, 3), 32);
    v128.store(out, v128.shuffle<i64>(even1, odd1, 1, 3), 48);
    out += 64;
  }
}

// @ts-ignore: decorator
@inline
function swapped(pair: v128): v128 {
  return v128.shuffle<i64>(pair, pair, 1, 0);
}

// @ts-ignore: decorator
@inline
function first(pair: v128): v128 {
  return v128.shuffle<i64>(pair, pair, 0, 0);
}

// @ts-ignore: decorator
@inline
function second(pair: v128): v128 {
  return v128.shuffle<i64>(pair, pair, 1, 1);
}

/** Four states: 0 and 2 lead to 0 and 1 by the costs of coset 0, 1 and 3 to 2 and 3 by those of coset 1. */
function goOnThrough4(costs: usize, ends: usize, decisions: usize, count: i32): void {
  let b01 = v128.load(ends);
  let b23 = v128.load(ends, 16);
  for (let index = 0; index < count; index++) {
    const c0 = v128.load(costs);
    const c1 = v128.load(costs, 16);
    costs += COSTS;
    const way0 = f64x2.add(first(b01), c0);
    const way1 = f64x2.add(first(b23), swapped(c0));
    const way2 = f64x2.add(second(b01), c1);
    const way3 = f64x2.add(second(b23), swapped(c1));
    b01 = f64x2.pmin(way0, way1);
    b23 = f64x2.pmin(way2, way3);
    const bits = i64x2.bitmask(f64x2.lt(way1, way0)) | (i64x2.bitmask(f64x2.lt(way3, way2)) << 2);
    store<u8>(decisions + index, <u8>bits);
  }
  v128.store(ends, b01);
  v128.store(ends, b23, 16);
}

/**
 * Eight states. By coset 0 the pair 0, 4 leads to 0 and 2, and 2, 6 to 1 and 3; by coset 1 the pair 3, 7 to 4 and 6, and
 * 1, 5 to 5 and 7.
 */
function goOnThrough8(costs: usize, ends: usize, decisions: usize, count: i32): void {
  let b02 = f64x2(load<f64>(ends), load<f64>(ends, 16));
  let b13 = f64x2(load<f64>(ends, 8), load<f64>(ends, 24));
  let b46 = f64x2(load<f64>(ends, 32), load<f64>(ends, 48));
  let b57 = f64x2(load<f64>(ends, 40), load<f64>(ends, 56));
  for (let index = 0; index < count; index++) {
    const c0 = v128.load(costs);
    const c1 = v128.load(costs, 16);
    costs += COSTS;
    const s0 = swapped(c0);
    const s1 = swapped(c1);
    const w02 = f64x2.add(first(b02), c0);
    const v02 = f64x2.add(first(b46), s0);
    const w13 = f64x2.add(second(b02), c0);
    const v13 = f64x2.add(second(b46), s0);
    const w46 = f64x2.add(second(b13), c1);
    const v46 = f64x2.add(second(b57), s1);
    const w57 = f64x2.add(first(b13), c1);
    const v57 = f64x2.add(first(b57), s1);
    b02 = f64x2.pmin(w02, v02);
    b13 = f64x2.pmin(w13, v13);
    b46 = f64x2.pmin(w46, v46);
    b57 = f64x2.pmin(w57, v57);
    // Lanes in the order 0, 2, 1, 3, 4, 6, 5, 7 of the states.
    const low = v128.shuffle<i32>(f64x2.lt(v02, w02), f64x2.lt(v13, w13), 0, 4, 2, 6);
    const high = v128.shuffle<i32>(f64x2.lt(v46, w46), f64x2.lt(v57, w57), 0, 4, 2, 6);
    store<u8>(decisions + index, <u8>(i32x4.bitmask(low) | (i32x4.bitmask(high) << 4)));
  }
  store<f64>(ends, f64x2.extract_lane(b02, 0));
  store<f64>(ends, f64x2.extract_lane(b13, 0), 8);
  store<f64>(ends, f64x2.extract_lane(b02, 1), 16);
  store<f64>(ends, f64x2.extract_lane(b13, 1), 24);
  store<f64>(ends, f64x2.extract_lane(b46, 0), 32);
  store<f64>(ends, f64x2.extract_lane(b57, 0), 40);
  store<f64>(ends, f64x2.extract_lane(b46, 1), 48);
  store<f64>(ends, f64x2.extract_lane(b57, 1), 56);
}

/** Any number of states that 8 divides, by the table of ways. */
function goOnThrough(costs: usize, ends: usize, decisions: usize, count: i32, states: i32, into: usize): void {
  let before = ends;
  let after = ends + (<usize>states << 3);
  for (let index = 0; index < count; index++) {
    for (let byte = 0; byte < states; byte += 8) {
      let bits: u32 = 0;
      for (let bit = 0; bit < 8; bit++) {
        const way = into + <usize>(2 * (byte + bit));
        const way0 = <u32>load<u8>(way);
        const way1 = <u32>load<u8>(way, 1);
        const cost0 = load<f64>(before + (<usize>(way0 >> 1) << 3)) + load<f64>(costs + (<usize>(way0 & 3) << 3));
        const cost1 = load<f64>(before + (<usize>(way1 >> 1) << 3)) + load<f64>(costs + (<usize>(way1 & 3) << 3));
        const isSecond = cost1 < cost0;
        store<f64>(after + (<usize>(byte + bit) << 3), isSecond ? cost1 : cost0);
        bits |= <u32>isSecond << bit;
      }
      store<u8>(decisions++, <u8>bits);
    }
    costs += COSTS;
    const other = before;
    before = after;
    after = other;
  }
  if (before !== ends) memory.copy(ends, before, <usize>states << 3);
}

/** Puts in place of 2 · coset + parity the symbol of the nearest point of that kind. */
function numberPoints(
  values: usize,
  perFineStep: f64,
  words: usize,
  known: usize,
  symbols: usize,
  count: i32,
): void {
  const scale = f64x2.splat(perFineStep);
  const unit = f64x2.splat(WORD_UNIT);
  const half = f64x2.splat(0.5);
  const quarter = f64x2.splat(0.25);
  const two = f64x2.splat(2);
  const one = i32x4.splat(1);
  for (let at: usize = 0, end = <usize>count << 2; at < end; at += 8) {
    const value = f64x2.add(
      f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(values + at)), scale),
      f64x2.sub(f64x2.mul(f64x2.convert_low_i32x4_u(v128.load64_zero(words + at)), unit), two),
    );
    const kind = v128.load64_zero(symbols + at);
    const coset = f64x2.convert_low_i32x4_s(i32x4.shr_s(kind, 1));
    const parity = f64x2.convert_low_i32x4_s(v128.and(kind, one));
    const residue = f64x2.add(coset, f64x2.mul(two, parity));
    const k = f64x2.add(
      f64x2.mul(two, f64x2.floor(f64x2.add(f64x2.mul(f64x2.sub(value, residue), quarter), half))),
      parity,
    );
    const dither = f64x2.sub(f64x2.mul(f64x2.convert_low_i32x4_u(v128.load64_zero(known + at)), unit), two);
    const centre = f64x2.mul(f64x2.sub(dither, coset), half);
    const nearest = f64x2.floor(f64x2.add(centre, half));
    const difference = f64x2.sub(k, nearest);
    const ordered = i32x4.trunc_sat_f64x2_s_zero(
      v128.bitselect(f64x2.neg(difference), difference, f64x2.lt(centre, nearest)),
    );
    // 2 n − 1 for n > 0, else −2 n.
    const doubled = i32x4.shl(ordered, 1);
    const symbol = v128.bitselect(i32x4.sub(doubled, one), i32x4.neg(doubled), i32x4.gt_s(ordered, i32x4.splat(0)));
    v128.store64_lane(symbols + at, symbol, 0);
  }
}

/**
 * `reconstruct` of the quantisers `tcq`.
 *
 * @param states - a byte for each coordinate, the trellis' state before it, as `decodeSymbols` leaves them
 */
export function reconstructTrellis(
  symbols: usize,
  fineStep: f64,
  words: usize,
  states: usize,
  out: usize,
  count: i32,
): void {
  const scale = f64x2.splat(fineStep);
  const one = i32x4.splat(1);
  for (let at: usize = 0, end = <usize>count << 2; at < end; at += 16) {
    const symbol = v128.load(symbols + at);
    const word = v128.load(words + at);
    const state = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(states + (at >> 2))));
    const coset = v128.and(state, one);
    // (n + 1) / 2 for odd n, else −n / 2.
    const isEven = i32x4.sub(v128.and(symbol, one), one);
    const halved = i32x4.shr_s(i32x4.add(symbol, one), 1);
    const ordered = i32x4.sub(v128.xor(halved, isEven), isEven);
    const low = pointOf(word, coset, ordered);
    const high = pointOf(
      v128.shuffle<i64>(word, word, 1, 1),
      v128.shuffle<i64>(coset, coset, 1, 1),
      v128.shuffle<i64>(ordered, ordered, 1, 1),
    );
    v128.store(
      out + at,
      v128.shuffle<i64>(
        f32x4.demote_f64x2_zero(f64x2.mul(low, scale)),
        f32x4.demote_f64x2_zero(f64x2.mul(high, scale)),
        0,
        2,
      ),
    );
  }
}

/** The points of two coordinates less their dithers, in fine steps. */
// @ts-ignore: decorator
@inline
function pointOf(word: v128, cosetBit: v128, orderedPoint: v128): v128 {
  const coset = f64x2.convert_low_i32x4_s(cosetBit);
  const ordered = f64x2.convert_low_i32x4_s(orderedPoint);
  const dither = f64x2.sub(
    f64x2.mul(f64x2.convert_low_i32x4_u(word), f64x2.splat(WORD_UNIT)),
    f64x2.splat(HALF_PERIOD),
  );
  const half = f64x2.splat(0.5);
  const centre = f64x2.mul(f64x2.sub(dither, coset), half);
  const nearest = f64x2.floor(f64x2.add(centre, half));
  const k = f64x2.add(nearest, v128.bitselect(f64x2.neg(ordered), ordered, f64x2.lt(centre, nearest)));
  return f64x2.sub(f64x2.add(f64x2.add(k, k), coset), dither);
}
