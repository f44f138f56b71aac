import { LetheError } from "../kernel/errors.ts";
import { sizeOf } from "../kernel/layout.ts";

/** An array of unsigned bytes with its shape, the content of an IDX file. */
export interface IdxArray {
  readonly shape: readonly number[];
  /** Row-major, a view of the file's bytes. */
  readonly values: Uint8Array;
}

/** The one element type read here; images and labels are never stored as another. */
const UNSIGNED_BYTE = 0x08;
/** Magic number of four bytes; then four bytes per dimension. */
const MAGIC_BYTES = 4;
/** [count, channels, height, width] */
const MAX_DIMENSIONS = 4;
/** As many bytes as any header can have. */
export const IDX_MAX_HEADER_BYTES = MAGIC_BYTES + 4 * MAX_DIMENSIONS;

/**
 * Reads an IDX file of unsigned bytes: bytes 0, 0, type 8, number of dimensions; each dimension as a big-endian 32-bit
 * number; the elements, row-major.
 *
 * @param bytes - the whole file, not compressed
 * @param file - its name, for messages
 * @throws LETHE_DATA_EMPTY · LETHE_DATA_IDX_MAGIC · LETHE_DATA_IDX_TYPE · LETHE_DATA_TRUNCATED · LETHE_DATA_SIZE when the
 * file holds more or less than its header declares
 * Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section "file formats".
 */
export function parseIdx(bytes: Uint8Array, file: string): IdxArray {
  const { shape, headerBytes } = parseIdxHeader(bytes, file);
  const declared = sizeOf(shape);
  const present = bytes.length - headerBytes;
  if (present < declared) {
    throw idxError(
      "DATA_TRUNCATED",
      `Expected ${declared} elements (${shape.join(" × ")}) after the header of ${file}, but the file ends at offset ${bytes.length} with ${present}. Fetch it again.`,
      file,
      bytes.length,
    );
  }
  if (present > declared) {
    throw idxError(
      "DATA_SIZE",
      `Expected ${file} to end at offset ${headerBytes + declared} (${shape.join(" × ")} elements), got ${present - declared} bytes more.`,
      file,
      headerBytes + declared,
    );
  }
  return { shape, values: new Uint8Array(bytes.buffer, bytes.byteOffset + headerBytes, declared) };
}

/**
 * Reads the header alone, so that a reader knows how long the rest may be.
 *
 * @param bytes - the file, or its first {@link IDX_MAX_HEADER_BYTES} bytes
 * @throws as {@link parseIdx}
 */
export function parseIdxHeader(
  bytes: Uint8Array,
  file: string,
): { readonly shape: readonly number[]; readonly headerBytes: number } {
  if (bytes.length === 0) {
    throw idxError("DATA_EMPTY", `Expected an IDX file, but ${file} is empty.`, file, 0);
  }
  const [zero, alsoZero, type, dimensions] = bytes;
  if (zero !== 0 || alsoZero !== 0) {
    throw idxError(
      "DATA_IDX_MAGIC",
      `Expected an IDX file to begin with two zero bytes, got ${hex(bytes.subarray(0, 2))} at offset 0 of ${file}. Is it another format?`,
      file,
      0,
    );
  }
  if (type !== undefined && type !== UNSIGNED_BYTE) {
    throw idxError(
      "DATA_IDX_TYPE",
      `Expected elements of type 08 (unsigned byte), got ${hex([type])} at offset 2 of ${file}. Write the data as unsigned bytes.`,
      file,
      2,
    );
  }
  if (dimensions !== undefined && (dimensions === 0 || dimensions > MAX_DIMENSIONS)) {
    throw idxError(
      "DATA_IDX_MAGIC",
      `Expected 1 to ${MAX_DIMENSIONS} dimensions, got ${dimensions} at offset 3 of ${file}.`,
      file,
      3,
    );
  }
  const headerBytes = MAGIC_BYTES + 4 * (dimensions ?? 0);
  if (dimensions === undefined || bytes.length < headerBytes) {
    throw idxError(
      "DATA_TRUNCATED",
      `Expected a header of at least ${Math.max(headerBytes, MAGIC_BYTES)} bytes, but ${file} ends at offset ${bytes.length}.`,
      file,
      bytes.length,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  const shape = Array.from({ length: dimensions }, (_, axis) => view.getUint32(MAGIC_BYTES + 4 * axis));
  const empty = shape.indexOf(0);
  if (empty >= 0) {
    throw idxError(
      "DATA_EMPTY",
      `Expected dimensions of at least 1, got 0 at offset ${MAGIC_BYTES + 4 * empty} of ${file}.`,
      file,
      MAGIC_BYTES + 4 * empty,
    );
  }
  return { shape, headerBytes };
}

function hex(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

function idxError(code: string, message: string, file: string, offset: number): LetheError {
  return new LetheError("data", code, message, { details: { file, offset } });
}
