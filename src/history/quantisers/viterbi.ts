import type { Trellis } from "./trellis.ts";

/** Coordinates whose branch costs are computed at once. */
const CHUNK = 4096;
/** Branches of a coordinate: two cosets, two parities. */
const BRANCHES = 4;

/**
 * Fills `costs` for the coordinates from `first` to `end` − 1, [4 · (index − first) + 2 · coset + parity of k]: what the
 * best point of that kind costs.
 */
export type FillCosts = (first: number, end: number, costs: Float64Array) => void;

/**
 * The cheapest path through a trellis (A. J. Viterbi, 1967), from a given state to any.
 *
 * @returns [count] 2 · coset + parity of k of every coordinate
 */
export function cheapestPath(
  trellis: Trellis,
  start: number,
  count: number,
  fillCosts: FillCosts,
): Uint8Array {
  const { states, into } = trellis;
  const bytesPerCoordinate = Math.ceil(states / 8);
  const decisions = new Uint8Array(count * bytesPerCoordinate);
  const costs = new Float64Array(BRANCHES * Math.min(CHUNK, count));
  const before = new Float64Array(states).fill(Number.POSITIVE_INFINITY);
  before[start] = 0;
  for (let first = 0; first < count; first += CHUNK) {
    const end = Math.min(first + CHUNK, count);
    fillCosts(first, end, costs);
    const through = decisions.subarray(first * bytesPerCoordinate, end * bytesPerCoordinate);
    if (states === 4) goOnThrough4(costs, before, through);
    else goOnThrough(trellis, costs, before, through);
  }
  return trace(before, decisions, into, count, bytesPerCoordinate);
}

/** Adds a chunk's coordinates to the costs of the states, and notes the cheapest ways: any number of states that 8 divides. */
function goOnThrough(
  { states, into }: Trellis,
  costs: Float64Array,
  ends: Float64Array,
  decisions: Uint8Array,
): void {
  let before = ends;
  let after: Float64Array = new Float64Array(states);
  const bytesPerCoordinate = states / 8;
  for (let index = 0, at = 0; index < decisions.length; index += bytesPerCoordinate, at += BRANCHES) {
    for (let state = 0; state < states; state++) {
      const way0 = into[2 * state] as number;
      const way1 = into[2 * state + 1] as number;
      const cost0 = (before[way0 >> 1] as number) + (costs[at + (way0 & 3)] as number);
      const cost1 = (before[way1 >> 1] as number) + (costs[at + (way1 & 3)] as number);
      const isSecond = cost1 < cost0;
      after[state] = isSecond ? cost1 : cost0;
      const byte = index + (state >> 3);
      if (isSecond) decisions[byte] = (decisions[byte] as number) | (1 << (state & 7));
    }
    [before, after] = [after, before];
  }
  if (before !== ends) ends.set(before);
}

/**
 * The same for four states, whose costs stay in variables: 0 and 2 lead to 0 and 1 by the costs of coset 0, 1 and 3 to 2
 * and 3 by those of coset 1.
 */
function goOnThrough4(costs: Float64Array, ends: Float64Array, decisions: Uint8Array): void {
  let [b0, b1, b2, b3] = ends as unknown as [number, number, number, number];
  for (let index = 0, at = 0; index < decisions.length; index++, at += BRANCHES) {
    const even0 = costs[at] as number;
    const odd0 = costs[at + 1] as number;
    const even1 = costs[at + 2] as number;
    const odd1 = costs[at + 3] as number;
    let bits = 0;
    let a0 = b0 + even0;
    let a1 = b0 + odd0;
    let a2 = b1 + even1;
    let a3 = b1 + odd1;
    const other0 = b2 + odd0;
    const other1 = b2 + even0;
    const other2 = b3 + odd1;
    const other3 = b3 + even1;
    if (other0 < a0) {
      a0 = other0;
      bits = 1;
    }
    if (other1 < a1) {
      a1 = other1;
      bits |= 2;
    }
    if (other2 < a2) {
      a2 = other2;
      bits |= 4;
    }
    if (other3 < a3) {
      a3 = other3;
      bits |= 8;
    }
    decisions[index] = bits;
    b0 = a0;
    b1 = a1;
    b2 = a2;
    b3 = a3;
  }
  ends.set([b0, b1, b2, b3]);
}

/** Follows the decisions back from the cheapest end. */
function trace(
  ends: Float64Array,
  decisions: Uint8Array,
  into: Uint8Array,
  count: number,
  bytesPerCoordinate: number,
): Uint8Array {
  let state = ends.indexOf(Math.min(...ends));
  const path = new Uint8Array(count);
  for (let index = count - 1; index >= 0; index--) {
    const bit = ((decisions[index * bytesPerCoordinate + (state >> 3)] as number) >> (state & 7)) & 1;
    const way = into[2 * state + bit] as number;
    path[index] = way & 3;
    state = way >> 1;
  }
  return path;
}
