import { crc32, inflateRawSync } from "node:zlib";
import { LetheError } from "../kernel/errors.ts";

/** A file in an archive, not unpacked yet. */
export interface ZipEntry {
  readonly name: string;
  /** Length of the content, as the archive declares it. */
  readonly size: number;
  /** @throws LETHE_DATA_ZIP when the content is damaged or longer than declared */
  content(): Uint8Array;
}

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
/** The comment after the end record has a length of 16 bits. */
const MAX_COMMENT = 0xffff;
const DIRECTORY_SIGNATURE = 0x02014b50;
const DIRECTORY_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;
/** Stands for a length that is written elsewhere in 64 bits. */
const IN_64_BITS = 0xffffffff;
/** Content may always unpack to this much … */
const SMALL_BYTES = 16 * 2 ** 20;
/** … and beyond it to this multiple of its packed size; deflate itself gets no further than 1,032. */
const MAX_EXPANSION = 100;

/**
 * The files in a zip archive, as its directory at the end lists them.
 *
 * @param bytes - the whole archive, below 4 GiB
 * @param file - its name, for messages
 * @throws LETHE_DATA_ZIP for damaged archives, those of several volumes, encrypted or 64-bit ones, packings other than deflate,
 * and content that would unpack out of proportion
 * Source: PKWARE, "ZIP file format specification" 6.3.10, sections 4.3 and 4.4.
 */
export function readZip(bytes: Uint8Array, file: string): readonly ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = endRecord(view);
  if (end === undefined) throw zipError("an archive with a directory", "none", file);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  const entries: ZipEntry[] = [];
  for (let index = 0; index < count; index++) {
    if (at + DIRECTORY_BYTES > end || view.getUint32(at, true) !== DIRECTORY_SIGNATURE) {
      throw zipError(`${count} files in the directory`, `only ${index}`, file);
    }
    const nameLength = view.getUint16(at + 28, true);
    const next =
      at + DIRECTORY_BYTES + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > end) throw zipError("a directory within the archive", "a longer one", file);
    entries.push(entryOf(bytes, view, at, nameLength, file));
    at = next;
  }
  return entries;
}

function endRecord(view: DataView): number | undefined {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT); at--) {
    if (view.getUint32(at, true) === END_SIGNATURE) return at;
  }
  return undefined;
}

function entryOf(bytes: Uint8Array, view: DataView, at: number, nameLength: number, file: string): ZipEntry {
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  const checksum = view.getUint32(at + 16, true);
  const packed = view.getUint32(at + 20, true);
  const size = view.getUint32(at + 24, true);
  const start = view.getUint32(at + 42, true);
  const nameStart = at + DIRECTORY_BYTES;
  const name = new TextDecoder().decode(bytes.subarray(nameStart, nameStart + nameLength));
  const content = (): Uint8Array => {
    if (flags & ENCRYPTED) throw zipError("files that are not encrypted", "an encrypted one", file);
    if (method !== STORED && method !== DEFLATED) {
      throw zipError("stored or deflated files", `packing ${method}`, file);
    }
    if (packed === IN_64_BITS || size === IN_64_BITS)
      throw zipError("files below 4 GiB", "a longer one", file);
    if (start + LOCAL_BYTES > bytes.length || view.getUint32(start, true) !== LOCAL_SIGNATURE) {
      throw zipError(`a file at offset ${start}`, "something else", file);
    }
    const data = start + LOCAL_BYTES + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
    if (data + packed > bytes.length) throw zipError(`${packed} bytes at offset ${data}`, "fewer", file);
    const unpacked = unpackedWithin(bytes.subarray(data, data + packed), method, size, file);
    if (crc32(unpacked) !== checksum) throw zipError("the content the checksum was made of", "another", file);
    return unpacked;
  };
  return { name, size, content };
}

function unpackedWithin(packed: Uint8Array, method: number, size: number, file: string): Uint8Array {
  if (method === STORED) {
    if (packed.length !== size) throw zipError(`${size} stored bytes`, String(packed.length), file);
    return packed;
  }
  if (size > Math.max(SMALL_BYTES, MAX_EXPANSION * packed.length)) {
    throw zipError(`content of at most ${MAX_EXPANSION} times its packed size`, `${size} bytes`, file);
  }
  const unpacked = inflated(packed, size, file);
  if (unpacked.length !== size) throw zipError(`${size} unpacked bytes`, String(unpacked.length), file);
  return unpacked;
}

function inflated(packed: Uint8Array, size: number, file: string): Uint8Array {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, size) });
  } catch (cause) {
    throw zipError("deflated content", "damaged or longer content", file, cause);
  }
}

function zipError(expected: string, got: string, file: string, cause?: unknown): LetheError {
  return new LetheError("data", "DATA_ZIP", `Expected ${expected} in ${file}, got ${got}.`, {
    details: { file },
    cause,
  });
}
