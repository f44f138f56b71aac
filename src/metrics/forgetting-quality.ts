import { LetheError } from "../kernel/errors.ts";
import { anyScope, defineMetric } from "./contract.ts";
import type { MarginTable } from "./margins.ts";
import { expectAtLeast, expectFinite, expectSameLength, expectShares } from "./metric-input.ts";
import { countBelow } from "./statistics/rank-probability.ts";
import { mean, median, sorted } from "./statistics/summary.ts";

/** The constants of the competition's scorer. */
const DELTA = 1e-5;
const EPSILON_CAP = 50;
const THRESHOLDS_PER_UNIT = 100;
/** How far the interval of the double rule may reach beyond the peakier sample, in nats. */
const BUFFER = 2;
/** One sample this much narrower than the other counts as told apart. */
const NARROW = 0.01;
const BUCKET_WIDTH = 0.5;

/**
 * ε of every sample: how well an attacker who sees one margin tells unlearned from retrained models, in the terms of
 * differential privacy.
 *
 * ε = max over rules of max(0, ln(1 − δ − FPR) − ln FNR, ln(1 − δ − FNR) − ln FPR), δ = 10⁻⁵, capped at 50; rules: one threshold
 * (100 per nat), and an interval around the narrower sample. A rule without errors gives 50; one that has errors of one kind only
 * is left out, as too few models.
 *
 * @param unlearned - margins [models][samples]
 * @param retrained - margins [models][samples], as many models
 * @returns [samples] in [0, 50]
 * @throws LETHE_DATA_SHAPE, LETHE_DATA_TOO_FEW (also where no rule makes errors of both kinds), LETHE_NUMERIC_NOT_FINITE
 * @see E. Triantafillou et al. 2024, arXiv 2406.09073, and the published scorer. Departure: where both samples are one and the
 * same constant, which divides by 0 there, ε is 0.
 */
export function forgettingEpsilons(unlearned: MarginTable, retrained: MarginTable): Float64Array {
  const metric = "forgetting-quality";
  expectSameLength(metric, { unlearned, retrained });
  expectAtLeast(metric, "models a side", unlearned.length, 3);
  for (const line of [...unlearned, ...retrained]) {
    expectSameLength(metric, { "first model": unlearned[0] ?? [], "another model": line });
    expectFinite(metric, "margins", line);
  }
  const column = (table: MarginTable, sample: number): Float64Array =>
    sorted(table.map((line) => line[sample] as number));
  return Float64Array.from(unlearned[0] ?? [], (_, sample) => {
    const [u, r] = [column(unlearned, sample), column(retrained, sample)];
    return median(r) > median(u) ? epsilonOf(r, u) : epsilonOf(u, r);
  });
}

/**
 * The competition's forgetting quality F = mean over samples of the points of their ε: 1 for ε < ½, halved with every further ½ up to
 * ⌈ln(models − 1)⌉, 0 beyond. With fewer than 64 models a side the scale has few steps: report the count with the score.
 *
 * @param epsilons - as {@link forgettingEpsilons} gives them
 * @param models - models a side
 * @returns in [0, 1]
 */
export function forgettingQuality(epsilons: ArrayLike<number>, models: number): number {
  expectAtLeast("forgetting-quality", "forget samples", epsilons.length, 1);
  const largest = Math.ceil(Math.log(models - 1));
  return mean(
    Array.from(epsilons, (epsilon) => {
      const bucket = Math.floor(epsilon / BUCKET_WIDTH);
      return (bucket + 1) * BUCKET_WIDTH <= largest ? 2 ** -bucket : 0;
    }),
  );
}

/**
 * The competition's score: F · RA_U/RA_R · TA_U/TA_R, mean accuracies of unlearned and retrained models.
 *
 * @throws LETHE_DATA_RANGE, also where a retrained accuracy is 0
 */
export function competitionScore(
  quality: number,
  retain: { readonly unlearned: number; readonly retrained: number },
  test: { readonly unlearned: number; readonly retrained: number },
): number {
  expectShares("forgetting-quality", { quality, ...retain });
  expectShares("forgetting-quality", { ...test });
  if (retain.retrained === 0 || test.retrained === 0) {
    throw new LetheError(
      "data",
      "DATA_RANGE",
      "Expected retrained models of some accuracy in metric `forgetting-quality`, got 0.",
    );
  }
  return quality * (retain.unlearned / retain.retrained) * (test.unlearned / test.retrained);
}

/** @param positive - ascending, the sample of the larger median @param negative - ascending */
function epsilonOf(positive: Float64Array, negative: Float64Array): number {
  const [positiveRange, negativeRange] = [rangeOf(positive), rangeOf(negative)];
  const [narrow, wide] = [Math.min(positiveRange, negativeRange), Math.max(positiveRange, negativeRange)];
  if (wide === 0) return positive[0] === negative[0] ? 0 : EPSILON_CAP;
  if (narrow / wide < NARROW) return EPSILON_CAP;
  const best = Math.max(
    singleThreshold(positive, negative),
    positiveRange >= negativeRange
      ? doubleThreshold(negative, positive)
      : doubleThreshold(positive, negative),
  );
  if (best === Number.NEGATIVE_INFINITY) {
    throw new LetheError(
      "data",
      "DATA_TOO_FEW",
      `Expected a threshold with errors of both kinds in metric \`forgetting-quality\`, got none with ${positive.length} ` +
        "models a side. Give more models.",
    );
  }
  return Math.min(EPSILON_CAP, best);
}

function rangeOf(ascending: Float64Array): number {
  return (ascending.at(-1) as number) - (ascending[0] as number);
}

function singleThreshold(positive: Float64Array, negative: Float64Array): number {
  const low = Math.min(positive[0] as number, negative[0] as number);
  const high = Math.max(positive.at(-1) as number, negative.at(-1) as number);
  let best = Number.NEGATIVE_INFINITY;
  for (const threshold of evenly(low, high, Math.ceil((high - low) * THRESHOLDS_PER_UNIT))) {
    const missed = countBelow(positive, threshold) / positive.length;
    const falseAlarms = (negative.length - countBelow(negative, threshold)) / negative.length;
    best = Math.max(best, epsilonAt(falseAlarms, missed));
  }
  return best;
}

/** Every interval whose ends lie within the buffer of the narrower sample's ends; inside is called `peaky`. */
function doubleThreshold(peaky: Float64Array, other: Float64Array): number {
  const width = rangeOf(peaky);
  const low = (peaky[0] as number) + width - BUFFER;
  const high = (peaky.at(-1) as number) + BUFFER;
  const lefts = Math.ceil(2 * BUFFER * THRESHOLDS_PER_UNIT);
  let best = Number.NEGATIVE_INFINITY;
  for (const right of evenly(low, high, Math.ceil((high - low) * THRESHOLDS_PER_UNIT))) {
    const [peakyUpTo, otherUpTo] = [countBelow(peaky, right, true), countBelow(other, right, true)];
    for (const left of evenly(right - width - BUFFER, right - width + BUFFER, lefts)) {
      if (left > right) continue;
      const hits = peakyUpTo - countBelow(peaky, left);
      const alarms = otherUpTo - countBelow(other, left);
      best = Math.max(best, epsilonAt(alarms / other.length, (peaky.length - hits) / peaky.length));
    }
  }
  return best;
}

function epsilonAt(falsePositiveRate: number, falseNegativeRate: number): number {
  if (falsePositiveRate === 0 && falseNegativeRate === 0) return Number.POSITIVE_INFINITY;
  if (falsePositiveRate === 0 || falseNegativeRate === 0) return Number.NEGATIVE_INFINITY;
  const bound = (rate: number, other: number): number =>
    rate >= 1 - DELTA ? 0 : Math.log(1 - DELTA - rate) - Math.log(other);
  return Math.max(
    0,
    bound(falsePositiveRate, falseNegativeRate),
    bound(falseNegativeRate, falsePositiveRate),
  );
}

/** `count` numbers from `low` to `high`, both included; `low` alone for one. */
function evenly(low: number, high: number, count: number): Float64Array {
  const step = (high - low) / Math.max(1, count - 1);
  return Float64Array.from({ length: count }, (_, index) =>
    index > 0 && index === count - 1 ? high : low + index * step,
  );
}

/** The forgetting quality of the NeurIPS 2023 competition. */
export const forgettingQualityMetric = defineMetric({
  id: "forgetting-quality",
  title: "Forgetting quality of the NeurIPS 2023 unlearning competition",
  references: ["E. Triantafillou et al. 2024, arXiv 2406.09073"],
  scope: anyScope,
  needs: ["forget", "retain", "test", "several-unlearned", "several-retrained"],
  formula:
    "F = mean of 2^−⌊2ε_x⌋ while the bucket ends below ⌈ln(N − 1)⌉, else 0; score = F · RA_U/RA_R · TA_U/TA_R",
  range: "0 to 1; retrained against retrained models stay below 1, by how much depends on N",
  direction: "higher",
  cost: "512 unlearned and 512 retrained models in the competition; below 64 the scale has few steps",
  guarantee:
    "A high score means that no single threshold or interval on one sample's margin tells unlearned from retrained models.",
  doesNotShow:
    "What attacks on several samples, other outputs or weights find; with few models ε is estimated from few errors and noisy.",
  compute: (unlearned: MarginTable, retrained: MarginTable) =>
    forgettingQuality(forgettingEpsilons(unlearned, retrained), unlearned.length),
});
