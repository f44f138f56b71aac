import { anyScope, defineMetric } from "./contract.ts";
import { expectAtLeast, expectSameLength } from "./metric-input.ts";
import { clopperPearson } from "./statistics/clopper-pearson.ts";

/** A group's accuracy with its exact 95 % interval. */
export interface GroupAccuracy {
  readonly group: string;
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
  readonly samples: number;
}

/** Accuracy by group, and how unequally errors fall. */
export interface GroupFairness {
  /** Every group that occurs, in the order of first occurrence. */
  readonly groups: readonly GroupAccuracy[];
  /** The least accuracy of a group. */
  readonly worst: number;
  /** Largest minus least accuracy, in [0, 1]. */
  readonly gap: number;
  /**
   * Equalised odds: over classes, the largest difference between groups in true or false positive rate, each class against
   * the rest, in [0, 1]. A rate of a group without samples for it is left out; `undefined` when no rate can be compared.
   */
  readonly equalisedOdds: number | undefined;
}

/**
 * Accuracy of every group, of the worst one, and equalised odds, max_k max(ΔTPR_k, ΔFPR_k) with Δ the largest difference
 * between two groups. Unlearning often costs the group of those who leave: compare with the retrained model.
 *
 * @param predicted - [count]
 * @param labels - [count]
 * @param groups - [count], an attribute of each sample
 * @throws LETHE_DATA_SHAPE, LETHE_DATA_TOO_FEW
 * @see S. Sagawa et al. 2020, arXiv 1911.08731 (worst group); M. Hardt et al. 2016, arXiv 1610.02413 (equalised odds)
 */
export function groupFairness(
  predicted: Int32Array,
  labels: Int32Array,
  groups: readonly string[],
): GroupFairness {
  const metric = "group-fairness";
  expectSameLength(metric, { predicted, labels, groups });
  expectAtLeast(metric, "samples", labels.length, 1);
  const rows = Map.groupBy(groups.keys(), (row) => groups[row] as string);
  const accuracies = [...rows].map(([group, members]) => {
    const hits = members.filter((row) => predicted[row] === labels[row]).length;
    const interval = clopperPearson(hits, members.length);
    return { group, accuracy: hits / members.length, ...interval, samples: members.length };
  });
  const shares = accuracies.map(({ accuracy }) => accuracy);

  /** Per group the share predicted as `label` among the samples whose truth is, or is not, `label`. */
  const spread = (label: number, isPositive: boolean): readonly number[] => {
    const rates = [...rows.values()].flatMap((members) => {
      const relevant = members.filter((row) => (labels[row] === label) === isPositive);
      const called = relevant.filter((row) => predicted[row] === label).length;
      return relevant.length === 0 ? [] : [called / relevant.length];
    });
    return rates.length < 2 ? [] : [Math.max(...rates) - Math.min(...rates)];
  };
  const differences = [...new Set(labels)].flatMap((label) => [
    ...spread(label, true),
    ...spread(label, false),
  ]);
  return {
    groups: accuracies,
    worst: Math.min(...shares),
    gap: Math.max(...shares) - Math.min(...shares),
    equalisedOdds: differences.length === 0 ? undefined : Math.max(...differences),
  };
}

/** Fairness between groups. */
export const groupFairnessMetric = defineMetric({
  id: "group-fairness",
  title: "Accuracy of the worst group and equalised odds",
  references: ["M. Hardt et al. 2016, arXiv 1610.02413", "S. Sagawa et al. 2020, arXiv 1911.08731"],
  scope: anyScope,
  needs: ["test", "groups", "retrained"],
  formula: "min_g acc_g; max over classes k of max(ΔTPR_k, ΔFPR_k), Δ between two groups",
  range: "accuracy 0 to 1; odds 0 (equal) to 1",
  direction: "as retrained",
  cost: "one forward pass",
  guarantee: "At the retrained models' values, unlearning cost no group more than retraining would.",
  doesNotShow:
    "Unfairness to groups nobody recorded, and differences smaller than the intervals of small groups.",
  compute: groupFairness,
});
