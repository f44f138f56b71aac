import type { PlacedNode } from "./inline-functions.ts";
import { onnxError } from "./onnx-error.ts";
import { isStandard } from "./operator.ts";
import { type GraphProto, TensorProto_DataType } from "./proto/onnx_pb.js";
import { type ExternalData, readTensor } from "./read-tensor.ts";
import type { Tensor } from "./tensor.ts";

/**
 * The tensors a file holds by name: its initializers and, of a file in which those hold no weights, its Constant nodes too,
 * where some exporters put them.
 *
 * @throws LETHE_DATA_ONNX, LETHE_DATA_EXTERNAL
 */
export function storedTensors(
  source: GraphProto,
  nodes: readonly PlacedNode[],
  external: ExternalData | undefined,
): ReadonlyMap<string, Tensor> {
  if (source.sparseInitializer.length > 0) throw onnxError("dense initializers, got sparse ones");
  const tensors = new Map<string, Tensor>();
  let holdsWeights = false;
  for (const initializer of source.initializer) {
    const { name } = initializer;
    if (tensors.has(name)) throw onnxError(`distinct names of initializers, got \`${name}\` twice`);
    // The classes of a classifier may be words. Who needs them says so.
    if (initializer.dataType === TensorProto_DataType.STRING) continue;
    const tensor = readTensor(initializer, external);
    tensors.set(name, tensor);
    holdsWeights ||= tensor.dtype === "float32" && tensor.shape.length > 0;
  }
  if (holdsWeights) return tensors;
  for (const { node } of nodes.filter(({ isInlined }) => !isInlined)) {
    const [name, value] = [node.output[0] ?? "", node.attribute[0]?.t];
    if (isStandard(node) && node.opType === "Constant" && value !== undefined && !tensors.has(name)) {
      tensors.set(name, readTensor(value, external));
    }
  }
  return tensors;
}
