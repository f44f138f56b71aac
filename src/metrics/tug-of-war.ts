import { anyScope, defineMetric } from "./contract.ts";
import { expectShares } from "./metric-input.ts";

/** A model's accuracies on the three sets. */
export interface SetShares {
  readonly forget: number;
  readonly retain: number;
  readonly test: number;
}

/**
 * Tug of war: ToW = Π_{S ∈ {forget, retain, test}} (1 − |acc_U(S) − acc_R(S)|), how near all three accuracies are to the
 * retrained model's at once.
 *
 * @param unlearned - accuracies in [0, 1]
 * @param retrained - accuracies of a model retrained without the forget set
 * @returns in [0, 1], 1 when all three agree
 * @throws LETHE_DATA_RANGE
 * @see K. Zhao et al. 2024, arXiv 2406.01257
 */
export function tugOfWar(unlearned: SetShares, retrained: SetShares): number {
  expectShares("tow", { ...unlearned });
  expectShares("tow", { ...retrained });
  return (["forget", "retain", "test"] as const).reduce(
    (product, set) => product * (1 - Math.abs(unlearned[set] - retrained[set])),
    1,
  );
}

/** ToW. */
export const towMetric = defineMetric({
  id: "tow",
  title: "Tug of war: three accuracies against retraining at once",
  references: ["K. Zhao et al. 2024, arXiv 2406.01257"],
  scope: anyScope,
  needs: ["forget", "retain", "test", "retrained"],
  formula: "Π over forget, retain, test of (1 − |accuracy of U − accuracy of R|)",
  range: "0 to 1; 1 when all accuracies agree",
  direction: "higher",
  cost: "one forward pass and one retraining",
  guarantee: "Near 1, no set is much better or worse classified than by a retrained model.",
  doesNotShow: "Forgetting: two models of equal accuracy may remember quite different things.",
  compute: tugOfWar,
});

/** ToW with the confidence attack in place of forget accuracy: `forget` is then MIA-efficacy by confidence. */
export const towMiaMetric = defineMetric({
  id: "tow-mia",
  title: "Tug of war with a membership attack for the forget set",
  references: ["K. Zhao et al. 2024, arXiv 2406.01257"],
  scope: anyScope,
  needs: ["forget", "retain", "test", "holdout", "retrained"],
  formula: "(1 − |MIA-efficacy of U − of R|) · Π over retain, test of (1 − |accuracy of U − accuracy of R|)",
  range: "0 to 1; 1 when all agree",
  direction: "higher",
  cost: "as mia-efficacy, for both models",
  guarantee: "Near 1, the weak attack and the accuracies cannot tell the two models apart.",
  doesNotShow: "What the population attack behind it does not show: the safety of single samples.",
  compute: tugOfWar,
});
