import { LetheError } from "../../kernel/errors.ts";

/** A line through one feature: positive where `weight · x + intercept > 0`. */
export interface LogisticLine {
  readonly weight: number;
  readonly intercept: number;
}

/** Newton's method at least doubles the digits near the end; damping needs some steps before. */
const MOST_STEPS = 200;
/** Relative size of a step that no longer matters: Newton's next would be its square. */
const STATIONARY = 1e-9;

/**
 * Logistic regression on one feature, min_{w,b} ½w² + Σ_i ln(1 + exp(−y_i(w x_i + b))), y_i = ±1: scikit-learn's
 * `LogisticRegression()` (C = 1, the intercept unpenalised), solved to the optimum by damped Newton steps.
 *
 * @param values - [count], finite
 * @param positive - [count]; both classes must occur
 * @throws LETHE_DATA_ONE_CLASS
 */
export function fitLogisticLine(values: ArrayLike<number>, positive: readonly boolean[]): LogisticLine {
  const positives = positive.filter(Boolean).length;
  if (positives === 0 || positives === positive.length) {
    throw new LetheError(
      "data",
      "DATA_ONE_CLASS",
      `Expected samples of both classes to tell apart, got ${positives} positive of ${positive.length}.`,
    );
  }
  const objective = (w: number, b: number): number => {
    let sum = (w * w) / 2;
    for (let index = 0; index < positive.length; index++) {
      const margin = (w * (values[index] as number) + b) * (positive[index] ? 1 : -1);
      sum += Math.max(0, -margin) + Math.log1p(Math.exp(-Math.abs(margin)));
    }
    return sum;
  };
  let weight = 0;
  let intercept = 0;
  for (let step = 0; step < MOST_STEPS; step++) {
    let [gradientW, gradientB, ww, wb, bb] = [weight, 0, 1, 0, 0];
    for (let index = 0; index < positive.length; index++) {
      const x = values[index] as number;
      const probability = 1 / (1 + Math.exp(-(weight * x + intercept)));
      const error = probability - (positive[index] ? 1 : 0);
      const curvature = probability * (1 - probability);
      gradientW += error * x;
      gradientB += error;
      ww += curvature * x * x;
      wb += curvature * x;
      bb += curvature;
    }
    const determinant = ww * bb - wb * wb;
    const moveW = (bb * gradientW - wb * gradientB) / determinant;
    const moveB = (ww * gradientB - wb * gradientW) / determinant;
    if (Math.hypot(moveW, moveB) <= STATIONARY * (1 + Math.hypot(weight, intercept))) break;
    const before = objective(weight, intercept);
    let length = 1;
    while (
      length > Number.EPSILON &&
      objective(weight - length * moveW, intercept - length * moveB) > before
    ) {
      length /= 2;
    }
    if (length <= Number.EPSILON) break;
    weight -= length * moveW;
    intercept -= length * moveB;
  }
  return { weight, intercept };
}
