import type { Value } from "../onnx/ir.ts";
import { gradients } from "./gradients.ts";
import { jacobianVectorProduct, type Tangent } from "./jacobian-vector-product.ts";

/**
 * The generalised Gauss–Newton matrix times a vector, Jᵀ·H_out·J·v, with J = ∂outputs/∂w and H_out = ∂²loss/∂outputs².
 *
 * It is the Hessian without the outputs' own curvature: positive semidefinite wherever the loss is convex in the outputs. For the
 * cross-entropy of logits (and the mean squared error, up to its scale) it is the Fisher information with the labels drawn
 * from the model, taken exactly over all classes.
 *
 * @param loss - a scalar function of `outputs`
 * @param outputs - logits, [batch, classes]
 * @param along - the parameters with the parts of v that belong to them
 * @returns one value per parameter, of its shape
 * Cost: about that of the Hessian's product.
 * Source: N. Schraudolph, "Fast curvature matrix-vector products", Neural Computation 14 (2002); J. Martens, arXiv 1412.1193, section 8.
 */
export function gaussNewtonProduct(loss: Value, outputs: Value, along: readonly Tangent[]): Value[] {
  const moved = jacobianVectorProduct(outputs, along);
  const [slope] = gradients(loss, [outputs]);
  // H_out is symmetric: its product with J·v from the left is that from the right.
  const [curved] = gradients(slope, [outputs], moved);
  return gradients(
    outputs,
    along.map(({ value }) => value),
    curved,
  );
}
