import { LetheError } from "../kernel/errors.ts";
import { add, zerosLike } from "../onnx/functions/index.ts";
import type { ComposedFunction, GraphBuilder, GraphNode, Value } from "../onnx/ir.ts";
import { operatorKey } from "../onnx/operator.ts";
import { isFloating } from "../onnx/tensor.ts";

/** A value and what it is pulled back with, a value of its shape. */
export interface Cotangent {
  readonly value: Value;
  readonly seed: Value;
}

/**
 * Reverse-mode differentiation inside the graph, the product of seeds with Jacobians: Σⱼ seedⱼᵀ·∂yⱼ/∂wᵢ for every wᵢ of `wrt`.
 *
 * For y = op(x) and ȳ it adds x̄ += ȳ·∂y/∂x, node by node in reverse order of evaluation. The seeds count as constants, also
 * where they are computed from the same weights. The result is made of ordinary nodes with gradient rules of their own, so
 * it can be differentiated again.
 *
 * @param outputs - the yⱼ with their seeds, values of any shape
 * @param wrt - inputs, parameters or intermediate values of floating type
 * @returns one value per `wrt`, of its shape; zeros where no output depends on it
 * @throws LETHE_DATA_NO_GRADIENT when an operator on the way has no gradient rule: the message names node and operator
 * Cost: about twice that of evaluating the outputs.
 */
export function vectorJacobianProduct<const W extends readonly Value[]>(
  outputs: readonly Cotangent[],
  wrt: W,
): { -readonly [K in keyof W]: Value } {
  const collected = new Map<Value, Value>();
  const collect = (value: Value, gradient: Value): void => {
    const earlier = collected.get(value);
    collected.set(value, earlier === undefined ? gradient : add(earlier, gradient));
  };
  const graph = outputs[0]?.value.graph ?? wrt[0]?.graph;
  if (graph === undefined) return [] as { -readonly [K in keyof W]: Value };
  const depends = dependents(graph, wrt);
  for (const { value, seed } of outputs) if (depends.has(value)) collect(value, seed);

  const inside = wrt.filter(({ node }) => node !== undefined);
  // The rules add nodes while we walk, so the list is fixed first.
  for (const node of [...graph.nodes].reverse()) {
    const composed = graph.composedAt(node);
    if (composed !== undefined && !computesAny(composed, inside)) {
      const { inputs, outputs: results } = composed;
      const gradients = results.map((output) => collected.get(output));
      const asked = inputs.map((input) => depends.has(input));
      if (gradients.some((gradient) => gradient !== undefined) && asked.includes(true)) {
        const found = composed.gradient(gradients, asked);
        inputs.forEach((input, index) => {
          const gradient = found[index];
          if (asked[index] && gradient !== undefined) collect(input, gradient);
        });
      }
      // What is still added to them comes from parts of the function that others use too, and goes the nodes' own way.
      for (const output of results) collected.delete(output);
    }
    const outputGradients = node.outputs.map((output) => collected.get(output));
    if (outputGradients.every((gradient) => gradient === undefined)) continue;
    const wanted = node.inputs.map((input) => input !== undefined && depends.has(input));
    if (!wanted.includes(true)) continue;
    const inputGradients = backward(graph, node, outputGradients, wanted);
    node.inputs.forEach((input, index) => {
      const gradient = inputGradients[index];
      if (input !== undefined && wanted[index] && gradient !== undefined) collect(input, gradient);
    });
  }
  return wrt.map((value) => collected.get(value) ?? zerosLike(value)) as { -readonly [K in keyof W]: Value };
}

/** Whether one of `values` is computed on the way from a function's inputs to its outputs: then every node has to be walked. */
function computesAny({ inputs, outputs }: ComposedFunction, values: readonly Value[]): boolean {
  if (values.length === 0) return false;
  const seen = new Set<Value>(inputs);
  const pending = outputs.filter((output) => !seen.has(output));
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    if (values.includes(value)) return true;
    for (const input of value.node?.inputs ?? []) if (input !== undefined) pending.push(input);
  }
  return false;
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
