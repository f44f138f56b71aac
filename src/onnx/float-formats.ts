import { LetheError } from "../kernel/errors.ts";

/** The formats a file may keep real numbers in, as ONNX calls them. Lethe computes in float32, whatever the file holds. */
export type FloatFormat = keyof typeof FORMATS;

interface Format {
  /** Its number in `TensorProto.DataType`. */
  readonly typeNumber: number;
  readonly bytes: number;
  decode(buffer: ArrayBuffer): Float32Array;
  encode(values: Float32Array): Float32Array | Float64Array | Float16Array | Uint16Array;
}

const FORMATS = {
  float32: {
    typeNumber: 1,
    bytes: 4,
    decode: (buffer) => new Float32Array(buffer),
    encode: (values) => values,
  },
  float16: {
    typeNumber: 10,
    bytes: 2,
    decode: (buffer) => new Float32Array(new Float16Array(buffer)),
    encode: (values) => new Float16Array(values),
  },
  float64: {
    typeNumber: 11,
    bytes: 8,
    decode: (buffer) => new Float32Array(new Float64Array(buffer)),
    encode: (values) => new Float64Array(values),
  },
  bfloat16: { typeNumber: 16, bytes: 2, decode: decodeBfloat16, encode: encodeBfloat16 },
} as const satisfies Record<string, Format>;

/** The format of an ONNX type number, or `undefined` where its elements are no real numbers. */
export function floatFormatOf(typeNumber: number): FloatFormat | undefined {
  const names = Object.keys(FORMATS) as FloatFormat[];
  return names.find((name) => FORMATS[name].typeNumber === typeNumber);
}

/** Bytes of one number. */
export function bytesPerFloat(format: FloatFormat): number {
  return FORMATS[format].bytes;
}

/** Little-endian numbers of a format as float32, rounded to nearest; copies. */
export function decodeFloats(format: FloatFormat, bytes: Uint8Array): Float32Array {
  return FORMATS[format].decode(new Uint8Array(bytes).buffer);
}

/**
 * The little-endian bytes of numbers in a format, rounded to nearest.
 *
 * @throws LETHE_NUMERIC_RANGE when a finite number is too large for the format
 */
export function encodeFloats(format: FloatFormat, values: Float32Array): Uint8Array {
  const encoded = FORMATS[format].encode(values);
  const bytes = new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  if (format === "float32" || format === "float64") return bytes;
  const back = decodeFloats(format, bytes);
  if (back.every((value, at) => Number.isFinite(value) || !Number.isFinite(values[at]))) return bytes;
  throw new LetheError(
    "numeric",
    "NUMERIC_RANGE",
    `Expected numbers that ${format} can hold, got larger ones. Save the model in float32, or train with a smaller learning rate.`,
  );
}

/** The upper half of a float32. */
function decodeBfloat16(buffer: ArrayBuffer): Float32Array {
  const bits = Uint32Array.from(new Uint16Array(buffer), (half) => half << 16);
  return new Float32Array(bits.buffer);
}

/** Rounds half to even: what is cut off counts as more than half when it and the last kept bit say so. */
function encodeBfloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (word, at) =>
    // Rounding could carry a NaN's bits into those of infinity.
    Number.isNaN(values[at]) ? 0x7fc0 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16,
  );
}
