import { LetheError } from "../kernel/errors.ts";
import type { Value } from "../onnx/ir.ts";
import type { Architecture } from "./architecture.ts";
import { layersOf } from "./derive-layers.ts";
import type { DenseLayer } from "./layers.ts";

/**
 * The features z that the last dense layer turns into class scores, o = zW + b, from the scores' own graph.
 *
 * @param logits - what {@link Architecture.forward} gave
 * @returns [batch, width]
 * @throws LETHE_DATA_NO_HEAD when the scores do not come from a dense layer
 */
export function penultimate(logits: Value): Value {
  let value = logits;
  for (;;) {
    const { node } = value;
    if (node === undefined) throw noHead("the class scores");
    if (node.type === "Gemm" || node.type === "MatMul") return node.inputs[0] as Value;
    // A bias added by a node of its own, and forms that keep the numbers: the way back is the input that was computed.
    const computed = node.inputs.find((input) => input?.node !== undefined);
    if (computed === undefined) throw noHead(`the node ${node.type}`);
    value = computed;
  }
}

/**
 * The last dense layer, which turns features into class scores.
 *
 * @throws LETHE_DATA_NO_HEAD for an architecture without one
 */
export function headOf(architecture: Architecture): DenseLayer {
  const head = layersOf(architecture).findLast((layer): layer is DenseLayer => layer.kind === "dense");
  if (head !== undefined) return head;
  throw noHead(`the model \`${architecture.id}\``);
}

/** Numbers in the feature vector of a head. */
export function headWidth({ weight, inputAxis }: DenseLayer): number {
  return weight.shape[inputAxis] as number;
}

function noHead(where: string): LetheError {
  return new LetheError(
    "data",
    "DATA_NO_HEAD",
    `Expected class scores from a dense layer (Gemm or MatMul), found none behind ${where}. Use a method that needs no features.`,
  );
}
