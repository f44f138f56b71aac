import { type Guide, makeGuide } from "./guide.ts";

/** Bits of a side byte for each of two cosets. */
const COSET_BITS = 4;
/** Of these, the side context. */
const CONTEXT_MASK = 7;

/**
 * Side byte of a coordinate whose coset (0 or 1) is known only from earlier symbols: for either of them the side context,
 * 0 to 7, and the parity of the point that symbol 0 stands for.
 */
export function cosetSide(context0: number, nearest0: number, context1: number, nearest1: number): number {
  return context0 | ((nearest0 & 1) << 3) | (context1 << COSET_BITS) | ((nearest1 & 1) << 7);
}

/**
 * The guide of a code whose state says in which coset the next point lies, and moves with the parity of its index there.
 */
export function cosetGuide(
  states: number,
  coset: (state: number) => 0 | 1,
  next: (state: number, parity: number) => number,
): Guide {
  const half = (state: number, side: number): number => side >> (COSET_BITS * coset(state));
  return makeGuide(
    states,
    (state, side) => half(state, side) & CONTEXT_MASK,
    (state, side, bit) => next(state, ((half(state, side) >> 3) & 1) ^ bit),
  );
}
