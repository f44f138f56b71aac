import { add, mul, reduceSum, zerosLike } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import { gradients } from "./gradients.ts";

/** A value and the direction it moves in, a value of its shape. */
export interface Tangent {
  readonly value: Value;
  readonly direction: Value;
}

/**
 * Forward-mode differentiation: the derivative of y along a direction, Σᵢ ∂y/∂wᵢ·vᵢ.
 *
 * Made of two reverse passes: s ↦ sᵀ·J is linear in s, so its own vector–Jacobian product with v is J·v, whatever s is (zeros
 * here, and not evaluated).
 *
 * @param y - of any shape
 * @param along - the wᵢ with their vᵢ, at least one
 * @returns of y's shape
 * Cost: about two evaluations of y beside y itself.
 * Source: J. Townsend, "A new trick for calculating Jacobian vector products" (2017).
 * @example
 * // How each sample's loss [batch] changes along v: the product of v with every sample's gradient.
 * const slopes = jacobianVectorProduct(losses, [{ value: weight, direction: v }]);
 */
export function jacobianVectorProduct(y: Value, along: readonly Tangent[]): Value {
  const { graph } = y;
  // A node of its own: equal ones are merged, and these zeros must not be those of somebody else.
  const name = `tangent-seed:${y.name}:${graph.nodes.length}`;
  const [seed] = graph.emit("Identity", [zerosLike(y)], {}, { outputNames: [name] }) as [Value];
  const pulled = gradients(
    y,
    along.map(({ value }) => value),
    seed,
  );
  const product = along
    .map(({ direction }, index) => reduceSum(mul(pulled[index] as Value, direction)))
    .reduce(add);
  return gradients(product, [seed])[0];
}
