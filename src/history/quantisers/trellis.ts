import { cosetGuide } from "../coding/coset-guide.ts";
import type { Guide } from "../coding/guide.ts";

/**
 * A trellis on the integers. In every state one coset may be used, the even or the odd integers 2k + c with c the lowest
 * bit of the state; the parity of k chooses one of two next states.
 */
export interface Trellis {
  readonly states: number;
  /** [2 · state + parity of k]: the next state. */
  readonly next: Uint8Array;
  /** [2 · state + 0 or 1]: the two ways into a state, each as 2 · earlier state + parity of k. */
  readonly into: Uint8Array;
  readonly guide: Guide;
}

/**
 * Ungerboeck's rate-½ codes by their parity-check polynomials, as the systematic feedback encoder in observer form:
 *
 *   s' = (s >> 1) ⊕ c·(h0 >> 1) ⊕ p·(h1 >> 1),  c = s mod 2,  p = k mod 2
 *
 * @param h0 - polynomial of the coset's bit; h0 and 1 share the degree, log2 of the number of states
 * @param h1 - polynomial of the parity of k
 * Source: G. Ungerboeck, "Channel coding with multilevel/phase signals", IEEE Trans. Inf. Theory 28 (1982), table I.
 */
export function ungerboeckTrellis(h0: number, h1: number): Trellis {
  const states = 2 ** (31 - Math.clz32(h0));
  const next = new Uint8Array(2 * states);
  const into = new Uint8Array(2 * states);
  const found = new Uint8Array(states);
  for (let state = 0; state < states; state++) {
    for (const parity of [0, 1]) {
      const to = (state >> 1) ^ ((state & 1) * (h0 >> 1)) ^ (parity * (h1 >> 1));
      next[2 * state + parity] = to;
      const place = found[to] as number;
      into[2 * to + place] = 2 * state + parity;
      found[to] = place + 1;
    }
  }
  const guide = cosetGuide(
    states,
    (state) => (state & 1) as 0 | 1,
    (state, parity) => next[2 * state + parity] as number,
  );
  return { states, next, into, guide };
}
