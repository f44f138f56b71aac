/** The side contexts a guide may name: bits 0-3 of its answers. */
const SIDE_MASK = 15;
/** Bit of an answer that marks a symbol which counts double when the activity is measured. */
export const DOUBLE_AT = 4;
/** Side bytes, so many rows a state. */
const SIDES = 256;

/**
 * What the symbols so far say about the next one, as a finite automaton: codes whose points depend on each other (parity
 * of D4 and E8, trellises) tell the coder through one table look-up a symbol.
 */
export interface Guide {
  readonly start: number;
  /** [state · 256 + side]: the side context, and whether the symbol counts double ({@link DOUBLE_AT}). */
  readonly contexts: Uint8Array;
  /** [2 (state · 256 + side) + parity of the offset that the symbol stands for]: the next state. */
  readonly next: Uint8Array;
}

/** An automaton from its two rules; `bit` is the parity of the offset. */
export function makeGuide(
  states: number,
  context: (state: number, side: number) => number,
  next: (state: number, side: number, bit: 0 | 1) => number,
): Guide {
  const rows = states * SIDES;
  return {
    start: 0,
    contexts: Uint8Array.from({ length: rows }, (_, row) => context(Math.floor(row / SIDES), row % SIDES)),
    next: Uint8Array.from({ length: 2 * rows }, (_, at) =>
      next(Math.floor(at / 2 / SIDES), (at >> 1) % SIDES, at % 2 === 0 ? 0 : 1),
    ),
  };
}

/** No memory: the side byte is the context. */
export const plainGuide = makeGuide(
  1,
  (_, side) => side & SIDE_MASK,
  () => 0,
);

/** Side byte of a coordinate whose parity is known from the offsets since the last such one; bit 5 flips that parity. */
export const PARITY_SIDE = 16;
export const FLIPPED_PARITY_SIDE = 48;

/** Lattices whose coordinates have an even sum: D4 and E8. The last symbol of a block counts half of the offset. */
export const parityGuide = makeGuide(
  2,
  (state, side) =>
    (side & PARITY_SIDE) === 0 ? side & SIDE_MASK : (1 << DOUBLE_AT) | 8 | ((state ^ (side >>> 5)) & 1),
  (state, side, bit) => ((side & PARITY_SIDE) === 0 ? state ^ bit : 0),
);
