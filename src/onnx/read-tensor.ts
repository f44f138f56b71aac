import { create } from "@bufbuild/protobuf";
import { LetheError } from "../kernel/errors.ts";
import { sizeOf } from "../kernel/layout.ts";
import { bytesPerFloat, decodeFloats, type FloatFormat, floatFormatOf } from "./float-formats.ts";
import { onnxError } from "./onnx-error.ts";
import { type TensorProto, TensorProto_DataLocation, TensorProtoSchema } from "./proto/onnx_pb.js";
import {
  bytesPerElement,
  type DType,
  dtypeOfTypeNumber,
  isElementType,
  type Tensor,
  tensorFromBytes,
  tensorOfNumbers,
} from "./tensor.ts";

/** A file beside the model's that holds tensors' bytes. */
export interface ExternalFile {
  /** Bytes in all. */
  readonly length: number;
  /** The bytes [offset, offset + length), which lie in the file. */
  read(offset: number, length: number): Uint8Array;
}

/** Opens a file by its path as the model gives it, which the opener has to distrust. */
export type ExternalData = (location: string) => ExternalFile;

/** The type Lethe computes a file's tensors in: float32 for every format of real numbers. */
export function computedType(typeNumber: number): DType {
  return floatFormatOf(typeNumber) === undefined ? dtypeOfTypeNumber(typeNumber) : "float32";
}

/** Whether Lethe computes with elements of that type: not with words, nor with numbers of fewer than eight bits. */
export function isComputedType(typeNumber: number): boolean {
  return floatFormatOf(typeNumber) !== undefined || isElementType(typeNumber);
}

/**
 * A tensor of a file. One in external data is checked at once and read when its elements are first asked for.
 *
 * @throws LETHE_DATA_ONNX, LETHE_DATA_SHAPE or LETHE_DATA_DTYPE for a tensor that contradicts itself; LETHE_DATA_EXTERNAL for
 *   external data that cannot be had
 */
export function readTensor(proto: TensorProto, external?: ExternalData): Tensor {
  const format = floatFormatOf(proto.dataType);
  const dtype = computedType(proto.dataType);
  const shape = proto.dims.map(Number);
  if (shape.some((dim) => !Number.isSafeInteger(dim) || dim < 0)) {
    throw onnxError(`sizes ≥ 0 in tensor \`${proto.name}\``);
  }
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    return externalTensor(proto, shape, dtype, format, external);
  }
  if (proto.rawData.length > 0) return decode(dtype, shape, format, proto.rawData);
  const numbers = fieldOf(proto, dtype, format);
  if (numbers.length !== sizeOf(shape)) {
    throw onnxError(`${sizeOf(shape)} elements in tensor \`${proto.name}\`, got ${numbers.length}`);
  }
  if (format === "float16" || format === "bfloat16") {
    const bits = Uint16Array.from(numbers);
    return decode(dtype, shape, format, new Uint8Array(bits.buffer));
  }
  return tensorOfNumbers(dtype, shape, numbers);
}

function decode(
  dtype: DType,
  shape: readonly number[],
  format: FloatFormat | undefined,
  bytes: Uint8Array,
): Tensor {
  if (format === undefined || bytes.length !== sizeOf(shape) * bytesPerFloat(format)) {
    return tensorFromBytes(dtype, shape, bytes);
  }
  return { dtype: "float32", shape, data: decodeFloats(format, bytes) };
}

/** The typed fields older writers use in place of raw bytes; halves are in the integers' field, as bits. */
function fieldOf(proto: TensorProto, dtype: DType, format: FloatFormat | undefined): readonly number[] {
  if (format === "float32") return proto.floatData;
  if (format === "float64") return proto.doubleData;
  if (dtype === "int64") return proto.int64Data.map(Number);
  return proto.int32Data;
}

function externalTensor(
  proto: TensorProto,
  shape: readonly number[],
  dtype: DType,
  format: FloatFormat | undefined,
  open: ExternalData | undefined,
): Tensor {
  const read = externalBytes(
    proto,
    sizeOf(shape) * (format === undefined ? bytesPerElement(dtype) : bytesPerFloat(format)),
    open,
  );
  let data: Tensor["data"] | undefined;
  return {
    dtype,
    shape,
    get data() {
      data ??= decode(dtype, shape, format, read()).data;
      return data;
    },
  } as Tensor;
}

/**
 * A tensor that holds its bytes itself, in its own format.
 *
 * @throws as {@link readTensor}
 */
export function embedTensor(proto: TensorProto, external: ExternalData | undefined): TensorProto {
  if (proto.dataLocation !== TensorProto_DataLocation.EXTERNAL) return proto;
  const format = floatFormatOf(proto.dataType);
  const bytes =
    format === undefined ? bytesPerElement(dtypeOfTypeNumber(proto.dataType)) : bytesPerFloat(format);
  const { name, dataType, dims } = proto;
  const rawData = externalBytes(proto, sizeOf(dims.map(Number)) * bytes, external)();
  return create(TensorProtoSchema, { name, dataType, dims, rawData });
}

/** Checks where a tensor's bytes are said to be, and gives a function that reads them. */
function externalBytes(proto: TensorProto, needed: number, open: ExternalData | undefined): () => Uint8Array {
  const entries = new Map(proto.externalData.map(({ key, value }) => [key, value]));
  const location = entries.get("location") ?? "";
  if (open === undefined || location === "") {
    throw externalError(
      `weights inside the file, or the file that holds \`${proto.name}\` beside it, got ${location === "" ? "no place to find them" : "the model's bytes alone"}`,
    );
  }
  const file = open(location);
  const offset = Number(entries.get("offset") ?? 0);
  const length = Number(entries.get("length") ?? needed);
  const isInside = Number.isSafeInteger(offset) && offset >= 0 && offset + length <= file.length;
  if (length !== needed || !isInside) {
    throw externalError(
      `${needed} bytes of \`${proto.name}\` inside \`${location}\`, which has ${file.length}, got ${length} at ${offset}`,
    );
  }
  return () => file.read(offset, length);
}

function externalError(expected: string): LetheError {
  return new LetheError("data", "DATA_EXTERNAL", `Expected ${expected}.`);
}
