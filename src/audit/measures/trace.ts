import { mean, squaredDeviations } from "../../metrics/statistics/summary.ts";

/**
 * Freedom of the prior that every sample's variance is the pooled one: a handful of models say little about one sample's variance, and a
 * sample whose models happen to agree must not decide alone.
 */
const PRIOR_FREEDOM = 4;

/**
 * How much of what training with some samples does to them is in a model, T = Σ_x w_x (e_x − ē⁰_x) / Σ_x w_x d_x, from evidence e_x of one
 * model and ē⁰, ē¹ of reference models trained without and with the samples: 0 on average for a model that never saw them, 1 for one
 * that did. Weights are those of the best linear rule between the two kinds, w_x = soft(d_x)/s²_x with d_x = ē¹_x − ē⁰_x, s²_x the
 * variance within both kinds (shrunken towards the mean of all samples), and soft(d) nearer to 0 by one standard error of d: a
 * sample on which the kinds differ by chance alone only adds noise.
 *
 * Few samples of a random request are remembered at all; means over all of them drown these, T does not.
 *
 * @param model - evidence of the model in question [samples]
 * @param without - [at least two models][samples], none trained with the samples
 * @param within - [at least two models][samples], all trained with them and else the same way
 * @returns [samples], whose mean is T; all 0 where the two kinds do not differ at all
 * @see R. A. Fisher 1936 (linear discriminant); N. Carlini et al. 2022, arXiv 2112.03570 (per-sample margins of models with and without a
 *   sample); the combination into one figure of a forget set is ours
 */
export function traceLeft(
  model: Float64Array,
  without: readonly Float64Array[],
  within: readonly Float64Array[],
): Float64Array {
  const samples = Array.from(model, (evidence, sample) => {
    const column = (tables: readonly Float64Array[]): readonly number[] =>
      tables.map((table) => table[sample] as number);
    const [outside, inside] = [column(without), column(within)];
    const centre = mean(outside);
    return {
      evidence,
      centre,
      difference: mean(inside) - centre,
      deviations: squaredDeviations(outside) + squaredDeviations(inside),
    };
  });
  const freedom = without.length + within.length - 2;
  const pooled = mean(samples.map(({ deviations }) => deviations / freedom));
  const weighted = samples.map(({ evidence, centre, difference, deviations }) => {
    const spread = (PRIOR_FREEDOM * pooled + deviations) / (PRIOR_FREEDOM + freedom);
    const error = Math.sqrt(spread * (1 / without.length + 1 / within.length));
    const softened = Math.sign(difference) * Math.max(0, Math.abs(difference) - error);
    const weight = spread > 0 ? softened / spread : softened;
    return { excess: weight * (evidence - centre), gap: weight * difference };
  });
  const total = weighted.reduce((sum, { gap }) => sum + gap, 0);
  return Float64Array.from(weighted, ({ excess }) => (total > 0 ? (weighted.length * excess) / total : 0));
}
