import { checkerboardQuantiser } from "./checkerboard.ts";

/** The Gosset lattice E8 = D8 ∪ (D8 + ½): 14 % less error than Z at equal cell volume (1). */
export const e8 = checkerboardQuantiser({
  id: "e8",
  wireId: 2,
  title: "Gosset lattice E8, dithered",
  source: "Lang, Helvits, Shlezinger, arXiv 2505.03388; Conway and Sloane (1982)",
  bitsRange: [0.5, 20],
  dimension: 8,
  hasCosets: true,
  /** 929/12960 of a unit-volume cell. */
  errorPerSquaredStep: 929 / 12960,
});
