import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type GraphProtoSchema,
  ModelProtoSchema,
  type ModelProtoSchema as ModelSchema,
} from "../../src/onnx/proto/onnx_pb.js";

/** What differs from a plain file: by default opset 18, an input `x` [batch, 4] and an output `y`, both float32. */
export interface FileParts {
  readonly opset?: number;
  readonly graph?: MessageInitShape<typeof GraphProtoSchema>;
  readonly model?: MessageInitShape<typeof ModelSchema>;
}

/** An ONNX file written field by field, so that it can be wrong in any way. */
export function onnxFile({ opset = 18, graph = {}, model = {} }: FileParts): Uint8Array {
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: "", version: BigInt(opset) }],
      graph: {
        name: "test",
        input: [floatInfo("x", ["batch", 4])],
        output: [floatInfo("y", ["batch", 4])],
        ...graph,
      } as MessageInitShape<typeof GraphProtoSchema>,
      ...model,
    } as MessageInitShape<typeof ModelSchema>),
  );
}

/** The declaration of a float32 input or output. */
export function floatInfo(name: string, shape: readonly (number | string)[]) {
  const dim = shape.map((size) => ({
    value:
      typeof size === "number"
        ? ({ case: "dimValue", value: BigInt(size) } as const)
        : ({ case: "dimParam", value: size } as const),
  }));
  return { name, type: { value: { case: "tensorType", value: { elemType: 1, shape: { dim } } } as const } };
}

/** A float32 initializer. */
export function floatTensor(name: string, shape: readonly number[], values: readonly number[]) {
  return { name, dataType: 1, dims: shape.map(BigInt), floatData: [...values] };
}

/** An int64 initializer. */
export function integerTensor(name: string, values: readonly number[]) {
  return { name, dataType: 7, dims: [BigInt(values.length)], int64Data: values.map(BigInt) };
}
