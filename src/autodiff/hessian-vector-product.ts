import type { Value } from "../onnx/ir.ts";
import { gradients } from "./gradients.ts";
import type { Tangent } from "./jacobian-vector-product.ts";
import { vectorJacobianProduct } from "./vector-jacobian-product.ts";

/**
 * The Hessian of a scalar times a vector, H·v with H = ∂²loss/∂w², over all parameters of `along` together.
 *
 * The gradient's own vector–Jacobian product with v, H being symmetric: two reverse passes, exact for every operator whose rule
 * is.
 *
 * @param loss - a scalar
 * @param along - the parameters with the parts of v that belong to them
 * @returns one value per parameter, of its shape
 * Cost: about twice that of the gradient.
 * Source: B. Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6 (1994).
 */
export function hessianVectorProduct(loss: Value, along: readonly Tangent[]): Value[] {
  const parameters = along.map(({ value }) => value);
  const slopes = gradients(loss, parameters);
  return vectorJacobianProduct(
    slopes.map((value, index) => ({ value, seed: (along[index] as Tangent).direction })),
    parameters,
  );
}
