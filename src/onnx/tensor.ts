import { LetheError } from "../kernel/errors.ts";
import { sizeOf } from "../kernel/layout.ts";

/** The element types Lethe computes with, named as in ONNX. */
export type DType = "float32" | "float64" | "float16" | "int64" | "int32" | "int8" | "uint8" | "bool";

/** The typed array that holds each element type; float16 as raw bits, bool as bytes. */
export interface ArrayOf {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly float16: Uint16Array;
  readonly int64: BigInt64Array;
  readonly int32: Int32Array;
  readonly int8: Int8Array;
  readonly uint8: Uint8Array;
  readonly bool: Uint8Array;
}

/** Elements of one type in row-major order. */
export type Tensor = { [D in DType]: TensorOf<D> }[DType];

/** A tensor of a known element type. */
export interface TensorOf<D extends DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: ArrayOf[D];
}

const CONSTRUCTORS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const satisfies Record<DType, unknown>;

/** The numbers ONNX gives the element types (`TensorProto.DataType`). */
const TYPE_NUMBER = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
} as const satisfies Record<DType, number>;

/** The number ONNX files use for an element type. */
export function typeNumberOf(dtype: DType): number {
  return TYPE_NUMBER[dtype];
}

/**
 * The element type of an ONNX type number.
 *
 * @throws LETHE_DATA_DTYPE for types Lethe does not compute with
 */
export function dtypeOfTypeNumber(number: number): DType {
  const entry = Object.entries(TYPE_NUMBER).find(([, known]) => known === number);
  if (entry === undefined) {
    throw new LetheError(
      "data",
      "DATA_DTYPE",
      `Expected an element type among ${Object.keys(TYPE_NUMBER).join(", ")}, got ONNX type ${number}.`,
    );
  }
  return entry[0] as DType;
}

/** Whether an ONNX type number is that of a type Lethe computes with. */
export function isElementType(number: number): boolean {
  return Object.values<number>(TYPE_NUMBER).includes(number);
}

/** Bytes of one element. */
export function bytesPerElement(dtype: DType): number {
  return CONSTRUCTORS[dtype].BYTES_PER_ELEMENT;
}

/** True for the element types gradients exist for. */
export function isFloating(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64" || dtype === "float16";
}

/**
 * Checks lengths and makes a tensor.
 *
 * @throws LETHE_DATA_SHAPE when the shape does not hold as many elements as `data`
 */
export function tensor<D extends DType>(dtype: D, shape: readonly number[], data: ArrayOf[D]): TensorOf<D> {
  if (sizeOf(shape) !== data.length) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected ${sizeOf(shape)} elements for shape [${shape}], got ${data.length}.`,
    );
  }
  return { dtype, shape, data };
}

/** Reads little-endian bytes as elements; copies, so that the source can be released. */
export function tensorFromBytes(dtype: DType, shape: readonly number[], bytes: Uint8Array): Tensor {
  const count = sizeOf(shape);
  if (bytes.length !== count * bytesPerElement(dtype)) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected ${count * bytesPerElement(dtype)} bytes for ${dtype}[${shape}], got ${bytes.length}.`,
    );
  }
  // Not bytes.slice(): Node's Buffer overrides it with a view of its pool.
  const copy = new Uint8Array(bytes).buffer;
  return { dtype, shape, data: new CONSTRUCTORS[dtype](copy) } as Tensor;
}

/** The little-endian bytes of a tensor's elements, without a copy. */
export function bytesOf(source: Tensor): Uint8Array {
  return new Uint8Array(source.data.buffer, source.data.byteOffset, source.data.byteLength);
}

/** A tensor of numbers; int64 from integers. */
export function tensorOfNumbers(dtype: DType, shape: readonly number[], values: readonly number[]): Tensor {
  const data = dtype === "int64" ? BigInt64Array.from(values, BigInt) : CONSTRUCTORS[dtype].from(values);
  return tensor(dtype, shape, data as ArrayOf[typeof dtype]) as Tensor;
}

/** The elements as plain numbers (int64 beyond 2^53 loses digits, as an ONNX shape never does). */
export function numbersOf(source: Tensor): number[] {
  return Array.from(source.data as ArrayLike<number | bigint>, Number);
}
