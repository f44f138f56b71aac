import { z } from "zod";
import { deriveKey, type Key, randomStream } from "../../kernel/key.ts";
import { anyScope, defineMetric } from "../contract.ts";
import { expectAtLeast, expectFinite, expectSameLength, parseMetricSettings } from "../metric-input.ts";
import { mean } from "../statistics/summary.ts";
import { drawRows } from "./draw-rows.ts";
import { fitLogisticLine } from "./logistic-regression.ts";

const config = z.strictObject({
  /** Losses are clipped to ± this many nats, so that one ruined sample does not decide the line. */
  clip: z.number().gt(0).default(100),
  /** Random divisions into fitting and judging part. */
  splits: z.int().min(1).default(5),
  /** Share of each group that judges. */
  testFraction: z.number().gt(0).max(0.5).default(0.1),
});

/** Losses of forgotten and of never trained samples, with their labels. */
export interface LossMembershipInput {
  /** [forget], in nats */
  readonly forgetLosses: Float64Array;
  readonly forgetLabels: Int32Array;
  /** [holdout], in nats; classes that no forget sample has are left out */
  readonly holdoutLosses: Float64Array;
  readonly holdoutLabels: Int32Array;
  readonly key: Key;
}

/**
 * SCRUB's membership attack: the accuracy with which logistic regression on the clipped loss tells forget samples from held-out
 * samples of the same classes, mean over stratified random splits; both groups equally large by drawing.
 *
 * @returns `accuracy` in [0, 1] (½: no better than guessing; far below ½ only by chance), each split's, and the samples a group
 * @throws LETHE_DATA_SHAPE, LETHE_NUMERIC_NOT_FINITE, LETHE_USAGE_CONFIG, LETHE_DATA_TOO_FEW for a group with fewer samples than
 * one in the judging part of each split
 * @see M. Kurmanji et al. 2023, arXiv 2302.09880 (basic MIA). Departures: the line is fitted to the optimum; each split judges
 * equally many of both groups.
 */
export function lossRegressionMembership(
  input: LossMembershipInput,
  settings?: z.input<typeof config>,
): { readonly accuracy: number; readonly splits: readonly number[]; readonly perGroup: number } {
  const metric = "loss-regression-mia";
  const { clip, splits, testFraction } = parseMetricSettings(metric, config, settings);
  const { forgetLosses, forgetLabels, holdoutLosses, holdoutLabels, key } = input;
  expectSameLength(metric, { forgetLosses, forgetLabels });
  expectSameLength(metric, { holdoutLosses, holdoutLabels });
  expectFinite(metric, "forgetLosses", forgetLosses);
  expectFinite(metric, "holdoutLosses", holdoutLosses);
  const classes = new Set(forgetLabels);
  const comparable = holdoutLosses.filter((_, index) => classes.has(holdoutLabels[index] as number));
  const size = Math.min(forgetLosses.length, comparable.length);
  const least = Math.ceil(1 / testFraction);
  expectAtLeast(metric, "forget samples", forgetLosses.length, least);
  expectAtLeast(metric, "held-out samples of the forgotten classes", comparable.length, least);
  const draw = (losses: Float64Array, role: string): Float64Array =>
    Float64Array.from(drawRows(key, role, losses.length, size), (row) =>
      Math.max(-clip, Math.min(clip, losses[row] as number)),
    );
  const forget = draw(forgetLosses, "forget");
  const holdout = draw(comparable, "holdout");

  const judged = Math.ceil(testFraction * size);
  const accuracies = Array.from({ length: splits }, (_, split) => {
    const shuffled = (losses: Float64Array, role: string): Float64Array => {
      const order = randomStream(deriveKey(key, "split", split, role)).permutation(size);
      return Float64Array.from(order, (row) => losses[row] as number);
    };
    const groups = [shuffled(forget, "forget"), shuffled(holdout, "holdout")] as const;
    const fitted = groups.map((losses) => losses.subarray(judged));
    const { weight, intercept } = fitLogisticLine(
      fitted.flatMap((losses) => [...losses]),
      fitted.flatMap((losses, group) => new Array<boolean>(losses.length).fill(group === 0)),
    );
    const hits = groups.map((losses, group) =>
      losses
        .subarray(0, judged)
        .reduce((sum, loss) => sum + Number(weight * loss + intercept > 0 === (group === 0)), 0),
    );
    return mean(hits) / judged;
  });
  return { accuracy: mean(accuracies), splits: accuracies, perGroup: size };
}

/** SCRUB's loss attack. */
export const lossRegressionMetric = defineMetric({
  id: "loss-regression-mia",
  title: "Membership attack by logistic regression on the loss",
  references: ["M. Kurmanji et al. 2023, arXiv 2302.09880"],
  scope: anyScope,
  needs: ["forget", "holdout", "retrained"],
  formula:
    "mean over 5 stratified splits of the accuracy of 1[w·clip(loss, ±100) + b > 0], forget against held-out samples",
  range: "0 to 1; ½ is guessing",
  direction: "as retrained",
  cost: "one forward pass",
  guarantee:
    "A value clearly above ½ and above the retrained models' shows that losses still betray the forget samples.",
  doesNotShow:
    "That nothing is left: a population attack with one threshold; a few well remembered samples drown in the mean, and classes that differ in difficulty blur it.",
  config,
  compute: lossRegressionMembership,
});
