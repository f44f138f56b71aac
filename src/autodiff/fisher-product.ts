import { divideByCount } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import { gradients } from "./gradients.ts";
import { jacobianVectorProduct, type Tangent } from "./jacobian-vector-product.ts";

/**
 * The uncentred covariance of the samples' gradients times a vector, (1/N) Σₙ gₙ·(gₙᵀv), without any sample's gradient: J·v and
 * then Jᵀ·(J·v)/N, with J = ∂losses/∂w.
 *
 * With the data's labels this is the empirical Fisher matrix; with labels drawn from the model's own distribution it is an
 * unbiased estimate of the Fisher information.
 *
 * @param losses - one negative log-likelihood a sample, [batch], each a function of its own sample only
 * @param along - the parameters with the parts of v that belong to them
 * @returns one value per parameter, of its shape
 * Cost: about that of two gradients.
 * Source: F. Kunstner, L. Balles, P. Hennig, arXiv 1905.12558, section 2 (and why the two must not be confused).
 */
export function fisherProduct(losses: Value, along: readonly Tangent[]): Value[] {
  const slopes = jacobianVectorProduct(losses, along);
  return gradients(
    losses,
    along.map(({ value }) => value),
    divideByCount(slopes, losses, [0]),
  );
}
