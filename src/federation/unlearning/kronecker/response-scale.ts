import { LetheError } from "../../../kernel/errors.ts";
import type { TrainingFacts } from "../training-facts.ts";

/** θ for at most {@link FEW_KEPT} kept clients, whose covariance is too poor to trust a weaker decay. */
const THETA_FEW_KEPT = 10;
/** Kept clients up to which a federation counts as small; between the 4 and the 19 that were measured. */
export const FEW_KEPT = 8;

/** θ when the result is used as it is. */
export const THETA_ALONE = 3;
/** θ when a repair round follows. */
export const THETA_BEFORE_REPAIR = 1;

/** θ scales the theory's decay; see `responseScale`. */
export function defaultTheta(keptClients: number, help: "none" | "repair-round"): number {
  if (keptClients <= FEW_KEPT) return THETA_FEW_KEPT;
  return help === "none" ? THETA_ALONE : THETA_BEFORE_REPAIR;
}

/**
 * c in γ = exp(−c·Λ): turns the variance between clients into the pull-back of one round.
 *
 *   c = θ · (2/E) · B / (κη)
 *
 * After K = nE/B steps over the same n images an update's variance between clients is (ηκ)²K·E·F/B and the pull-back of a
 * round ηκK·F, with κ = `momentumGain`; the 2 keeps θ as it was calibrated at E = 2. For Adam the same holds in its own
 * coordinates with κ = 1.
 *
 * @throws LETHE_USAGE_OPTIMIZER for an optimizer other than `sgd` and `adam`; LETHE_USAGE_TRAINING for facts out of range
 */
export function responseScale(training: TrainingFacts, theta: number): number {
  const { optimizer, learningRate, batchSize, localEpochs, localSteps, clientMomentum } = training;
  if (optimizer !== "sgd" && optimizer !== "adam") {
    throw new LetheError(
      "usage",
      "USAGE_OPTIMIZER",
      `Expected clients trained by \`sgd\` or \`adam\`, got \`${optimizer}\`: how its updates answer a deviation is not ` +
        "known. Use the rule `medu`, or retrain.",
      { details: { optimizer } },
    );
  }
  for (const [name, value] of Object.entries({ learningRate, batchSize, localEpochs, localSteps })) {
    if (!(value > 0)) throw trainingError(`\`training.${name}\` > 0`, value);
  }
  if (!(clientMomentum >= 0 && clientMomentum < 1)) {
    throw trainingError("`training.clientMomentum` in [0, 1)", clientMomentum);
  }
  const gain = optimizer === "sgd" ? momentumGain(clientMomentum, localSteps) : 1;
  return (theta * (2 / localEpochs) * batchSize) / (gain * learningRate);
}

/**
 * How much farther K heavy-ball steps from rest go than K plain ones under a constant gradient:
 *
 *   κ = (1/K) Σ_{j=1..K} (1 − μ^j) / (1 − μ) = (1 − μ(1 − μ^K) / (K(1 − μ))) / (1 − μ)
 *
 * 1 without momentum; 6.55 for μ = 0.9 and K = 24.
 *
 * @param momentum - μ in [0, 1)
 * @param steps - K > 0; need not be whole
 */
export function momentumGain(momentum: number, steps: number): number {
  const rest = 1 - momentum;
  return (1 - (momentum * (1 - momentum ** steps)) / (steps * rest)) / rest;
}

function trainingError(expected: string, got: number): LetheError {
  return new LetheError(
    "usage",
    "USAGE_TRAINING",
    `Expected ${expected}, got ${got}. Take it from the training log.`,
  );
}
