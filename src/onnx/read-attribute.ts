import type { Attribute, Attributes } from "./attributes.ts";
import { onnxError } from "./onnx-error.ts";
import { type AttributeProto, AttributeProto_AttributeType as AttributeType } from "./proto/onnx_pb.js";
import { computedType, readTensor } from "./read-tensor.ts";
import { type Tensor, tensorOfNumbers, typeNumberOf } from "./tensor.ts";

/**
 * What a Constant node holds.
 *
 * @param place - the node, for errors
 * @throws LETHE_DATA_ONNX
 */
export function constantTensor(attributes: Attributes, place: string): Tensor {
  const [entry] = Object.values(attributes);
  if (entry?.type === "tensor") return entry.value;
  if (entry?.type === "int") return tensorOfNumbers("int64", [], [entry.value]);
  if (entry?.type === "float") return tensorOfNumbers("float32", [], [entry.value]);
  if (entry?.type === "ints") return tensorOfNumbers("int64", [entry.value.length], entry.value);
  if (entry?.type === "floats") return tensorOfNumbers("float32", [entry.value.length], entry.value);
  throw onnxError(`Constant node \`${place}\` to hold numbers`);
}

/**
 * A setting of a node.
 *
 * @param place - the node, for errors
 * @throws LETHE_DATA_ONNX for graphs and other settings that are no numbers, texts or tensors
 */
export function readAttribute(attribute: AttributeProto, place: string): Attribute {
  switch (attribute.type) {
    case AttributeType.INT: {
      const value = Number(attribute.i);
      // Element types among the settings (of Cast, of EyeLike) follow those of the values.
      const isType = attribute.name === "to" || attribute.name === "dtype";
      return { type: "int", value: isType ? typeNumberOf(computedType(value)) : value };
    }
    case AttributeType.FLOAT:
      return { type: "float", value: attribute.f };
    case AttributeType.STRING:
      return { type: "string", value: new TextDecoder().decode(attribute.s) };
    case AttributeType.INTS:
      return { type: "ints", value: attribute.ints.map(Number) };
    case AttributeType.FLOATS:
      return { type: "floats", value: attribute.floats };
    case AttributeType.STRINGS:
      return { type: "strings", value: attribute.strings.map((word) => new TextDecoder().decode(word)) };
    case AttributeType.TENSOR:
      if (attribute.t !== undefined) return { type: "tensor", value: readTensor(attribute.t) };
      break;
    default:
  }
  throw onnxError(
    `attribute \`${attribute.name}\` of node \`${place}\` to be a number, text or tensor, got type ${attribute.type}`,
  );
}
