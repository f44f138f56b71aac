import { numberAttribute } from "../onnx/attributes.ts";
import { batchNormalization, batchNormalizationOwn } from "../onnx/functions/index.ts";
import type { GraphBuilder, GraphNode, Value } from "../onnx/ir.ts";
import type { Tensor } from "../onnx/tensor.ts";
import type { Mode } from "./architecture.ts";
import { moveStatistic } from "./batch-norm.ts";

/**
 * Adds nodes of one graph to another: constants follow by themselves, shapes are found anew, normalisations use the batch's own
 * statistics in training unless theirs are constants.
 *
 * @param copied - what stands for inputs and weights; receives what stands for every other value
 * @param batch - the size or name that stands for `batch` in the nodes' shapes
 * @param nextBuffers - receives the running statistics after this batch
 */
export function copyNodes(
  nodes: readonly GraphNode[],
  graph: GraphBuilder,
  copied: Map<Value, Value>,
  options: { readonly mode: Mode; readonly batch: number | string; readonly nextBuffers: Map<string, Value> },
): void {
  for (const node of nodes) {
    const inputs = node.inputs.map((input) => {
      if (input === undefined) return undefined;
      const known = copied.get(input) ?? graph.constant(input.constant as Tensor, input.name);
      copied.set(input, known);
      return known;
    });
    if (options.mode === "training" && node.type === "BatchNormalization") {
      const y = trainedBatchNorm(node, inputs as Value[], options.nextBuffers);
      copied.set(node.outputs[0] as Value, y);
      continue;
    }
    const outputs = graph.emit(node.type, inputs, node.attributes, {
      domain: node.domain,
      outputCount: node.outputs.length,
      name: node.name,
      ...(node.version === undefined ? {} : { version: node.version }),
      declared: node.outputs.map(({ dtype, shape }) => ({
        dtype,
        shape: shape.map((dim) => (dim === "batch" ? options.batch : dim)),
      })),
    });
    node.outputs.forEach((output, index) => {
      copied.set(output, outputs[index] as Value);
    });
  }
}

function trainedBatchNorm(node: GraphNode, inputs: readonly Value[], nextBuffers: Map<string, Value>): Value {
  const [x, scale, shift, mean, variance] = inputs as [Value, Value, Value, Value, Value];
  const epsilon = numberAttribute(node.attributes, "epsilon", 1e-5);
  // A frozen one goes on as it is used: its statistics are those its scale was trained with.
  if (mean.constant !== undefined) return batchNormalization(x, scale, shift, mean, variance, epsilon);
  const batch = batchNormalizationOwn(x, scale, shift, epsilon);
  // ONNX counts the share that is kept, not the share that is new.
  const momentum = 1 - numberAttribute(node.attributes, "momentum", 0.9);
  nextBuffers.set(mean.name, moveStatistic(mean, batch.mean, momentum));
  nextBuffers.set(variance.name, moveStatistic(variance, batch.unbiasedVariance, momentum));
  return batch.y;
}
