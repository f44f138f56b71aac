import { isLetheError, LetheError } from "../kernel/errors.ts";
import { add, zerosLike } from "../onnx/functions/index.ts";
import type { GraphBuilder, GraphNode, Value } from "../onnx/ir.ts";
import { operatorKey } from "../onnx/operator.ts";
import { formatShape } from "../onnx/shape.ts";
import { isFloating, tensorOfNumbers } from "../onnx/tensor.ts";
import { gradientCut } from "./gradient-cut.ts";

/**
 * Reverse-mode differentiation inside the graph: ∂loss/∂wᵢ for every wᵢ of `wrt`, as values of the same graph.
 *
 * For y = op(x) and ȳ = ∂loss/∂y it adds x̄ += ȳ·∂y/∂x, node by node in reverse order of evaluation. The result is made of
 * ordinary nodes with gradient rules of their own, so it can be differentiated again.
 *
 * @param loss - a scalar, shape [] (or [1])
 * @param wrt - inputs, parameters or intermediate values of floating type
 * @param seed - ∂(anything)/∂loss, of loss's shape; 1 when left out. With a seed, `loss` may have any shape: the result is
 *   then the vector–Jacobian product seedᵀ·∂loss/∂w
 * @returns one value per `wrt`, of its shape; zeros where the loss does not depend on it
 * @throws LETHE_DATA_NO_GRADIENT when an operator on the way has no gradient rule: the message names node and operator and
 *   says which of `wrt` can be trained without it
 * @example
 * const [dw] = gradients(reduceMean(square(sub(matmul(x, w), y))), [w]);
 */
export function gradients<const W extends readonly Value[]>(
  loss: Value,
  wrt: W,
  seed?: Value,
): { -readonly [K in keyof W]: Value } {
  const { graph } = loss;
  if (seed === undefined && loss.shape.some((dim) => dim !== 1)) {
    throw new LetheError(
      "usage",
      "USAGE_LOSS_SHAPE",
      `Expected a scalar loss, got shape ${formatShape(loss.shape)}.`,
    );
  }
  const depends = dependents(graph, wrt);
  const collected = new Map<Value, Value>();
  if (depends.has(loss)) collected.set(loss, seed ?? onesLike(loss));

  // The rules add nodes while we walk, so the list is fixed first.
  for (const node of [...graph.nodes].reverse()) {
    const outputGradients = node.outputs.map((output) => collected.get(output));
    if (outputGradients.every((gradient) => gradient === undefined)) continue;
    const wanted = node.inputs.map((input) => input !== undefined && depends.has(input));
    if (!wanted.includes(true)) continue;
    const inputGradients = withCut(loss, wrt, node, () => backward(graph, node, outputGradients, wanted));
    node.inputs.forEach((input, index) => {
      const gradient = inputGradients[index];
      if (input === undefined || !wanted[index] || gradient === undefined) return;
      const earlier = collected.get(input);
      collected.set(input, earlier === undefined ? gradient : add(earlier, gradient));
    });
  }
  return wrt.map((value) => collected.get(value) ?? zerosLike(value)) as { -readonly [K in keyof W]: Value };
}

/** All values that depend differentiably on one of `roots`, the roots included. */
function dependents(graph: GraphBuilder, roots: readonly Value[]): ReadonlySet<Value> {
  const reached = new Set<Value>(roots);
  for (const node of graph.nodes) {
    const operator = graph.operators.get(operatorKey(node.type, node.domain));
    if (operator?.isPiecewiseConstant) continue;
    if (!node.inputs.some((input) => input !== undefined && reached.has(input))) continue;
    for (const output of node.outputs) if (isFloating(output.dtype)) reached.add(output);
  }
  return reached;
}

function backward(
  graph: GraphBuilder,
  node: GraphNode,
  outputGradients: readonly (Value | undefined)[],
  wanted: readonly boolean[],
): readonly (Value | undefined)[] {
  const key = operatorKey(node.type, node.domain);
  const rule = graph.operators.get(key)?.gradient;
  if (rule === undefined) {
    const where = node.name || node.outputs[0]?.name || key;
    throw new LetheError(
      "data",
      "DATA_NO_GRADIENT",
      `Expected operators with a gradient, got \`${key}\` in node \`${where}\`.`,
      { details: { operator: key, node: where } },
    );
  }
  return rule({ node, inputs: node.inputs, outputs: node.outputs, gradients: outputGradients, wanted });
}

/** Adds to an error of a node without a gradient what can be trained all the same. */
function withCut<Result>(loss: Value, wrt: readonly Value[], node: GraphNode, rule: () => Result): Result {
  try {
    return rule();
  } catch (error) {
    if (!isLetheError(error) || error.code !== "LETHE_DATA_NO_GRADIENT") throw error;
    const { trainable, frozen, advice } = gradientCut(loss, wrt, node);
    throw new LetheError("data", "DATA_NO_GRADIENT", `${error.message} ${advice}`, {
      details: { ...error.details, trainable, frozen },
      cause: error,
    });
  }
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
