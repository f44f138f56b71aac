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
  const branch = into.map((way) => (way & 2) + (way & 1));
  const from = into.map((way) => way >> 1);
  const bytesPerCoordinate = Math.ceil(states / 8);
  const decisions = new Uint8Array(count * bytesPerCoordinate);
  const costs = new Float64Array(BRANCHES * Math.min(CHUNK, count));
  let before = new Float64Array(states).fill(Number.POSITIVE_INFINITY);
  let after = new Float64Array(states);
  before[start] = 0;
  for (let first = 0; first < count; first += CHUNK) {
    const end = Math.min(first + CHUNK, count);
    fillCosts(first, end, costs);
    for (let index = first; index < end; index++) {
      const at = BRANCHES * (index - first);
      const decisionsAt = index * bytesPerCoordinate;
      let bits = 0;
      for (let state = 0; state < states; state++) {
        const way = 2 * state;
        const cost0 =
          (before[from[way] as number] as number) + (costs[at + (branch[way] as number)] as number);
        const cost1 =
          (before[from[way + 1] as number] as number) + (costs[at + (branch[way + 1] as number)] as number);
        const isSecond = cost1 < cost0;
        after[state] = isSecond ? cost1 : cost0;
        if (isSecond) bits |= 1 << (state & 7);
        if ((state & 7) === 7) {
          decisions[decisionsAt + (state >> 3)] = bits;
          bits = 0;
        }
      }
      if (states < 8) decisions[decisionsAt] = bits;
      [before, after] = [after, before];
    }
  }
  return trace(before, decisions, into, count, bytesPerCoordinate);
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
