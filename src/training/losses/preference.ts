import { mul, reduceMean, softplus, sub } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";

/**
 * Negative preference optimisation: (2/β)·mean log(1 + (π(y|x)/π₀(y|x))^β), a bounded way to make samples less likely than
 * under a reference model; for β → 0 gradient ascent on their likelihood.
 *
 * @param logLikelihoods - log π(y|x) of forget samples [batch], as `logLikelihood` gives
 * @param reference - log π₀(y|x) of the same samples under the reference model [batch]
 * @param beta - β > 0, the inverse temperature
 * @returns scalar
 * Source: Zhang et al. (2024), arXiv 2404.05868, equation 3.
 */
export function negativePreference(logLikelihoods: Value, reference: Value, beta: number): Value {
  return mul(reduceMean(softplus(mul(sub(logLikelihoods, reference), beta))), 2 / beta);
}

/** Log-likelihoods of one answer to every prompt, each [batch]. */
export interface AnswerLikelihoods {
  /** Under the model that is trained. */
  readonly model: Value;
  /** Under the reference model. */
  readonly reference: Value;
}

/**
 * Direct preference optimisation: −mean log σ(β·(log π(y⁺)/π₀(y⁺) − log π(y⁻)/π₀(y⁻))). Unlearning prefers a refusal y⁺ to
 * the answer y⁻ that is to be forgotten.
 *
 * @param beta - β > 0
 * @returns scalar
 * Source: Rafailov et al. (2023), arXiv 2305.18290, equation 7.
 */
export function directPreference(
  preferred: AnswerLikelihoods,
  rejected: AnswerLikelihoods,
  beta: number,
): Value {
  const lead = sub(sub(preferred.model, preferred.reference), sub(rejected.model, rejected.reference));
  // −log σ(z) = softplus(−z)
  return reduceMean(softplus(mul(lead, -beta)));
}
