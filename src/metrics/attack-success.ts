import { defineMetric } from "./contract.ts";
import { expectAtLeast, expectSameLength } from "./metric-input.ts";
import { clopperPearson } from "./statistics/clopper-pearson.ts";

/** A share with its exact 95 % interval. */
export interface SuccessRate {
  readonly share: number;
  readonly low: number;
  readonly high: number;
  /** Samples that count. */
  readonly samples: number;
}

/**
 * Attack success rate: the share of triggered samples that are classified as the attacker wants, among those whose true class is another
 * (a sample of the target class is "attacked" by being right).
 *
 * @param predicted - classes predicted for triggered samples [count]
 * @param labels - their true classes [count]
 * @param target - the attacker's class
 * @returns share in [0, 1] with Clopper and Pearson's interval
 * @throws LETHE_DATA_SHAPE, LETHE_DATA_TOO_FEW when all samples are of the target class
 * @see T. Gu et al. 2017, arXiv 1708.06733
 */
export function attackSuccess(predicted: Int32Array, labels: Int32Array, target: number): SuccessRate {
  expectSameLength("attack-success", { predicted, labels });
  const others = [...labels.keys()].filter((row) => labels[row] !== target);
  expectAtLeast("attack-success", "samples of other classes", others.length, 1);
  const hits = others.filter((row) => predicted[row] === target).length;
  return { share: hits / others.length, ...clopperPearson(hits, others.length), samples: others.length };
}

/** Attack success rate. */
export const attackSuccessMetric = defineMetric({
  id: "attack-success",
  title: "Success rate of a trigger",
  references: ["T. Gu et al. 2017, arXiv 1708.06733"],
  scope: ["sample", "client"],
  needs: ["test", "trigger", "retrained"],
  formula: "#{x : y ≠ y*, argmax f(x ⊕ trigger) = y*} / #{x : y ≠ y*}",
  range: "0 to 1; the retrained model's value, seldom 0, is the aim",
  direction: "as retrained",
  cost: "one forward pass over triggered samples",
  guarantee: "At the retrained models' value, the planted behaviour is gone.",
  doesNotShow:
    "That the rest of the attacker's data is forgotten: a trigger is foreign to the task and fades by mere further training.",
  compute: attackSuccess,
});
