import { add } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import { nodesBehind } from "../onnx/nodes-behind.ts";
import { fromGradients, type PerSample, perSampleRule } from "./per-sample-rules.ts";
import { vectorJacobianProduct } from "./vector-jacobian-product.ts";

/**
 * Every sample's own gradient of its own output, seedₙᵀ·∂outputₙ/∂w, from one backward pass over the batch.
 *
 * The pass stops at the nodes that use a parameter; there a sample's gradient is a product of what went in and what came back:
 * for a dense layer xₙ·δₙᵀ, for a convolution its patches times δₙ. Squared norms and sums of squares come from the factors
 * where that is cheaper than the gradient itself.
 *
 * Samples must not act on each other (normalisations with the batch's statistics do): then the result is something else.
 *
 * @param outputs - [batch, …], each row a function of its own sample
 * @param seed - of the outputs' shape; a constant
 * @param parameters - inputs of the graph
 * @returns for every parameter its gradients [batch, …shape]; `undefined` when one of them is used in a way for which there is
 *   no rule, or where the first axis is not the samples: take samples one by one then
 * Cost: that of the gradient, and memory for batch times the parameters where the gradients themselves are used.
 * Sources: I. Goodfellow, arXiv 1510.01799 (norms from factors); G. Rochette et al., arXiv 1912.06015 (convolutions).
 */
export function perSampleGradients(
  outputs: Value,
  seed: Value,
  parameters: readonly Value[],
): readonly PerSample[] | undefined {
  const nodes = [...nodesBehind([outputs])];
  const uses = parameters.map((parameter) =>
    nodes.flatMap((node) =>
      node.inputs.flatMap((input, index) => (input === parameter ? [{ node, index }] : [])),
    ),
  );
  const results = [...new Set(uses.flat().map(({ node }) => node.outputs[0] as Value))];
  const [batch] = outputs.shape;
  if (results.some(({ shape }) => shape[0] !== batch)) return undefined;
  const returned = vectorJacobianProduct([{ value: outputs, seed }], results);
  const gradientAt = new Map(results.map((value, index) => [value, returned[index] as Value]));
  const found = uses.map((sites) => {
    const parts = sites.map(({ node, index }) =>
      perSampleRule({ node, index, gradient: gradientAt.get(node.outputs[0] as Value) as Value }),
    );
    return parts.length > 0 && parts.every((part) => part !== undefined) ? sum(parts) : undefined;
  });
  return found.every((part) => part !== undefined) ? found : undefined;
}

/** A parameter used in several places has the sum of their gradients. */
function sum(parts: readonly PerSample[]): PerSample {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  return fromGradients(parts.map(({ gradients }) => gradients).reduce(add));
}
