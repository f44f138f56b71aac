import { isLetheError, LetheError } from "../kernel/errors.ts";
import type { GraphNode, Value } from "../onnx/ir.ts";
import { operatorKey } from "../onnx/operator.ts";
import { formatShape } from "../onnx/shape.ts";
import { tensorOfNumbers } from "../onnx/tensor.ts";
import { gradientCut } from "./gradient-cut.ts";
import { vectorJacobianProduct } from "./vector-jacobian-product.ts";

/**
 * Reverse-mode differentiation inside the graph: ∂loss/∂wᵢ for every wᵢ of `wrt`, as values of the same graph that can be
 * differentiated again.
 *
 * @param loss - a scalar, shape [] (or [1])
 * @param wrt - inputs, parameters or intermediate values of floating type
 * @param seed - ∂(anything)/∂loss, of loss's shape; 1 when left out. With a seed, `loss` may have any shape: the result is
 *   then the vector–Jacobian product seedᵀ·∂loss/∂w
 * @returns one value per `wrt`, of its shape; zeros where the loss does not depend on it
 * @throws LETHE_USAGE_LOSS_SHAPE when the loss is no scalar; as {@link vectorJacobianProduct}, saying also which of `wrt` can be
 *   trained without the node that has no gradient
 * @example
 * const [dw] = gradients(reduceMean(square(sub(matmul(x, w), y))), [w]);
 */
export function gradients<const W extends readonly Value[]>(
  loss: Value,
  wrt: W,
  seed?: Value,
): { -readonly [K in keyof W]: Value } {
  if (seed === undefined && loss.shape.some((dim) => dim !== 1)) {
    throw new LetheError(
      "usage",
      "USAGE_LOSS_SHAPE",
      `Expected a scalar loss, got shape ${formatShape(loss.shape)}.`,
    );
  }
  return withCut(loss, wrt, () =>
    vectorJacobianProduct([{ value: loss, seed: seed ?? onesLike(loss) }], wrt),
  );
}

/** Adds to an error of a node without a gradient what can be trained all the same. */
function withCut<Result>(loss: Value, wrt: readonly Value[], differentiate: () => Result): Result {
  try {
    return differentiate();
  } catch (error) {
    if (!isLetheError(error) || error.code !== "LETHE_DATA_NO_GRADIENT") throw error;
    const failed = loss.graph.nodes.find((node) => isNamed(node, error.details.operator, error.details.node));
    if (failed === undefined) throw error;
    const { trainable, frozen, advice } = gradientCut(loss, wrt, failed);
    throw new LetheError("data", "DATA_NO_GRADIENT", `${error.message} ${advice}`, {
      details: { ...error.details, trainable, frozen },
      cause: error,
    });
  }
}

function isNamed(node: GraphNode, operator: unknown, name: unknown): boolean {
  const key = operatorKey(node.type, node.domain);
  return key === operator && (node.name || node.outputs[0]?.name || key) === name;
}

function onesLike(loss: Value): Value {
  return loss.graph.constant(
    tensorOfNumbers(
      loss.dtype,
      loss.shape.map(() => 1),
      [1],
    ),
    "one",
  );
}
