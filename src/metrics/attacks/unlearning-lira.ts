import { anyScope, defineMetric } from "../contract.ts";
import type { MarginTable } from "../margins.ts";
import { expectAtLeast, expectFinite, expectSameLength } from "../metric-input.ts";
import { rankProbability } from "../statistics/rank-probability.ts";
import { mean, quantile } from "../statistics/summary.ts";
import { lira } from "./lira.ts";

/** How well each sample's two worlds are told apart, and summaries over the samples. */
export interface UnlearningLira {
  /** [samples], share of held-out models put into the right world; ½ is guessing */
  readonly accuracies: Float64Array;
  /** [samples] */
  readonly aucs: Float64Array;
  readonly meanAccuracy: number;
  /** The accuracy that 5 % of the samples exceed: the mean hides the few that are badly protected. */
  readonly p95Accuracy: number;
  readonly meanAuc: number;
}

/**
 * U-LiRA: for each sample, Gaussians over the margins of models trained with it and then unlearned, and of models never trained on
 * it, tell in which world other models live: log N(m; μ_U, σ_U²) > log N(m; μ_R, σ_R²). Fitted on every second model, judged on
 * the others, and the other way round.
 *
 * Give forget samples for the efficacy of unlearning, and retained samples (unlearned models against models retrained with as
 * many others taken out) for harm: unlearning may make the kept data easier to attack.
 *
 * @param unlearned - [models][samples], each model having unlearned the sample; shared models may serve several samples
 * @param neverTrained - [models][samples]
 * @throws LETHE_DATA_SHAPE, LETHE_DATA_TOO_FEW below four models a side, LETHE_NUMERIC_NOT_FINITE
 * @see J. Hayes et al. 2024, arXiv 2403.01218. Departure: two-fold, so that every model judges once; below 64 models a side the
 * variance is pooled over samples.
 */
export function unlearningLira(unlearned: MarginTable, neverTrained: MarginTable): UnlearningLira {
  const metric = "u-lira";
  for (const [name, table] of Object.entries({
    "unlearned models": unlearned,
    "other models": neverTrained,
  })) {
    expectAtLeast(metric, name, table.length, 4);
    for (const line of table) {
      expectSameLength(metric, { "first model": unlearned[0] ?? [], "another model": line });
      expectFinite(metric, "margins", line);
    }
  }
  const folds = [0, 1].map((fold) => {
    const fitted = (table: MarginTable): MarginTable => table.filter((_, model) => model % 2 !== fold);
    const judged = (table: MarginTable): MarginTable => table.filter((_, model) => model % 2 === fold);
    const shadows = { inside: columns(fitted(unlearned)), outside: columns(fitted(neverTrained)) };
    const scores = (table: MarginTable): readonly Float64Array[] =>
      columns(judged(table).map((line) => lira(line, shadows)));
    return { unlearned: scores(unlearned), neverTrained: scores(neverTrained) };
  });
  const perSample = (value: (u: Float64Array, r: Float64Array) => number): Float64Array =>
    Float64Array.from(unlearned[0] ?? [], (_, sample) =>
      mean(
        folds.map((fold) =>
          value(fold.unlearned[sample] as Float64Array, fold.neverTrained[sample] as Float64Array),
        ),
      ),
    );
  // A score of exactly 0 is a guess.
  const share = (scores: Float64Array, sign: number): number =>
    mean(scores.map((score) => (1 + Math.sign(sign * score)) / 2));
  const accuracies = perSample((u, r) => (share(u, 1) + share(r, -1)) / 2);
  const aucs = perSample((u, r) => rankProbability(r, u));
  return {
    accuracies,
    aucs,
    meanAccuracy: mean(accuracies),
    p95Accuracy: quantile(accuracies, 0.95),
    meanAuc: mean(aucs),
  };
}

/** [models][samples] by sample. */
function columns(table: MarginTable): readonly Float64Array[] {
  return Array.from(table[0] ?? [], (_, sample) =>
    Float64Array.from(table, (line) => line[sample] as number),
  );
}

/** U-LiRA. */
export const unlearningLiraMetric = defineMetric({
  id: "u-lira",
  title: "U-LiRA: unlearned or never trained?",
  references: ["J. Hayes et al. 2024, arXiv 2403.01218", "M. Kurmanji et al. 2023, arXiv 2302.09880"],
  scope: anyScope,
  needs: ["forget", "retain", "several-unlearned", "several-retrained"],
  formula:
    "balanced accuracy of log N(m; μ_U, σ_U²) > log N(m; μ_R, σ_R²) on held-out models; mean and 95 % quantile over samples",
  range: "0 to 1 a sample; ½ is guessing",
  direction: "lower",
  cost: "8 to 256 trainings each followed by unlearning, and as many retrainings; shadows are shared by random forget sets",
  guarantee:
    "An accuracy above ½ by more than its interval is a lower bound on what an attacker who knows the method learns about a sample.",
  doesNotShow:
    "Safety against attacks that use more than one margin a sample; the result is about this method, data and recipe only.",
  compute: unlearningLira,
});
