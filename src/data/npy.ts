import { LetheError } from "../kernel/errors.ts";
import { sizeOf } from "../kernel/layout.ts";

/** An array as numpy saves it. */
export interface NpyArray {
  readonly shape: readonly number[];
  /** Row-major: bytes (type u1) as they are, every other number as a float of 64 bits. */
  readonly values: Uint8Array | Float64Array;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
/** [count, channels, height, width] */
const MAX_DIMENSIONS = 4;

type Reader = (view: DataView, offset: number, littleEndian: boolean) => number;

/** By kind and bytes of an element. */
const READERS: Readonly<Record<string, Reader>> = {
  b1: (view, offset) => view.getUint8(offset),
  i1: (view, offset) => view.getInt8(offset),
  i2: (view, offset, little) => view.getInt16(offset, little),
  u2: (view, offset, little) => view.getUint16(offset, little),
  i4: (view, offset, little) => view.getInt32(offset, little),
  u4: (view, offset, little) => view.getUint32(offset, little),
  i8: (view, offset, little) => Number(view.getBigInt64(offset, little)),
  u8: (view, offset, little) => Number(view.getBigUint64(offset, little)),
  f2: (view, offset, little) => view.getFloat16(offset, little),
  f4: (view, offset, little) => view.getFloat32(offset, little),
  f8: (view, offset, little) => view.getFloat64(offset, little),
};

/**
 * Reads an array of numbers in numpy's file format, versions 1 to 3: u1, b1, i1 … i8, u2 … u8, f2, f4, f8 of either byte order. Whole
 * numbers beyond 2⁵³ are rounded.
 *
 * @param bytes - the whole file
 * @param name - its name, for messages
 * @throws LETHE_DATA_NPY for anything else, for columns first (`fortran_order`), and a file longer or shorter than its header says
 * Source: numpy.lib.format, NEP 1.
 */
export function parseNpy(bytes: Uint8Array, name: string): NpyArray {
  const { header, dataStart } = headerOf(bytes, name);
  const [, order = "", type = ""] = /'descr':\s*'([<>|=])?([a-zA-Z]\d+)'/.exec(header) ?? [];
  if (!/'fortran_order':\s*False/.test(header)) {
    throw npyError("rows first", "columns first (save np.ascontiguousarray(x))", name);
  }
  const shape = shapeOf(header, name);
  const elementBytes = Number(type.slice(1));
  const read = READERS[type];
  if (type !== "u1" && read === undefined) {
    throw npyError("numbers (u1, i1 … i8, f2, f4, f8)", `type \`${type || "of objects"}\``, name);
  }
  const count = sizeOf(shape);
  const present = bytes.length - dataStart;
  if (count * elementBytes !== present) {
    throw npyError(`${count * elementBytes} bytes (${shape.join(" × ")})`, String(present), name);
  }
  if (read === undefined) {
    return { shape, values: new Uint8Array(bytes.buffer, bytes.byteOffset + dataStart, present) };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + dataStart, present);
  const values = new Float64Array(count);
  const isLittle = order !== ">";
  for (let at = 0; at < count; at++) values[at] = read(view, at * elementBytes, isLittle);
  return { shape, values };
}

function headerOf(bytes: Uint8Array, name: string): { readonly header: string; readonly dataStart: number } {
  const version = bytes[MAGIC.length] ?? 0;
  if (!MAGIC.every((byte, at) => bytes[at] === byte) || version < 1 || version > 3) {
    throw npyError("an array of numpy", "something else", name);
  }
  // Magic number, two bytes of version, the header's length in two or four bytes.
  const lengthStart = MAGIC.length + 2;
  const headerStart = lengthStart + (version === 1 ? 2 : 4);
  if (bytes.length < headerStart) throw npyError("a header", "the end of the file", name);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = version === 1 ? view.getUint16(lengthStart, true) : view.getUint32(lengthStart, true);
  const dataStart = headerStart + length;
  if (dataStart > bytes.length) throw npyError(`a header of ${length} bytes`, "the end of the file", name);
  return { header: new TextDecoder().decode(bytes.subarray(headerStart, dataStart)), dataStart };
}

function shapeOf(header: string, name: string): readonly number[] {
  const [, text] = /'shape':\s*\(([\d,\s]*)\)/.exec(header) ?? [];
  if (text === undefined) throw npyError("a shape in the header", "none", name);
  const shape = text
    .split(",")
    .map((dimension) => dimension.trim())
    .filter((dimension) => dimension !== "")
    .map(Number);
  const isSound = shape.length >= 1 && shape.length <= MAX_DIMENSIONS && Number.isSafeInteger(sizeOf(shape));
  if (!isSound || shape.includes(0)) {
    throw npyError(`1 to ${MAX_DIMENSIONS} dimensions of at least 1`, `(${shape.join(", ")})`, name);
  }
  return shape;
}

function npyError(expected: string, got: string, name: string): LetheError {
  return new LetheError("data", "DATA_NPY", `Expected ${expected} in ${name}, got ${got}.`, {
    details: { file: name },
  });
}
