import type { Stats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { constants, gunzip } from "node:zlib";
import { LetheError } from "../kernel/errors.ts";

const inflate = promisify(gunzip);

/** Node cannot read a longer file at once. */
const MAX_FILE_BYTES = 2 ** 31 - 1;
/** Compressed data may always unpack to this much … */
const SMALL_BYTES = 16 * 2 ** 20;
/** … and beyond it to this multiple of its own size; real images and tables shrink by 3 to 30. */
const MAX_EXPANSION = 100;
/** Enough compressed bytes to hold any gzip header and the first bytes of the data. */
const PEEK_BYTES = 4096;

/** True when `path` can be read as a file. */
export async function isFile(path: string): Promise<boolean> {
  return (await statOrUndefined(path))?.isFile() ?? false;
}

/**
 * The bytes of a file.
 *
 * @param maxBytes - the longest file taken
 * @throws LETHE_DATA_MISSING · LETHE_DATA_TOO_LARGE · LETHE_DATA_UNREADABLE
 */
export async function readBytes(path: string, maxBytes = MAX_FILE_BYTES): Promise<Uint8Array> {
  const stats = await statOrUndefined(path);
  if (!stats?.isFile()) {
    const found = stats ? "something that is not a file" : "nothing";
    throw new LetheError("data", "DATA_MISSING", `Expected a file at ${path}, found ${found}.`, {
      details: { file: path },
    });
  }
  if (stats.size > maxBytes) {
    throw new LetheError(
      "data",
      "DATA_TOO_LARGE",
      `Expected at most ${maxBytes} bytes, got ${stats.size} in ${path}. Split the file or take a sample of it.`,
      { details: { file: path, bytes: stats.size } },
    );
  }
  return readWhole(path);
}

/**
 * Unpacks gzip data (known by its first two bytes, 1f 8b) and returns any other data as it is.
 *
 * @param declaredBytes - tells from the first unpacked bytes how long the whole must be; nothing longer is unpacked
 * @throws LETHE_DATA_GZIP when the data are damaged, longer than declared, or more than 100 times their packed size
 */
export async function unpack(
  bytes: Uint8Array,
  file: string,
  declaredBytes?: (head: Uint8Array) => number,
): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const allowed = Math.max(SMALL_BYTES, MAX_EXPANSION * bytes.length);
  const declared = declaredBytes ? declaredBytes(await peek(bytes, file)) : allowed;
  return inflateWithin(bytes, file, Math.min(allowed, declared));
}

/** The first unpacked bytes. */
async function peek(bytes: Uint8Array, file: string): Promise<Uint8Array> {
  try {
    return await inflate(bytes.subarray(0, PEEK_BYTES), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (cause) {
    throw gzipError(file, 0, cause);
  }
}

async function inflateWithin(bytes: Uint8Array, file: string, maxBytes: number): Promise<Uint8Array> {
  try {
    return await inflate(bytes, { maxOutputLength: maxBytes, chunkSize: 2 ** 16 });
  } catch (cause) {
    throw gzipError(file, maxBytes, cause);
  }
}

function gzipError(file: string, maxBytes: number, cause: unknown): LetheError {
  const isTooLong = cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE";
  const message = isTooLong
    ? `Expected ${file} to unpack to at most ${maxBytes} bytes, got more. Unpack it yourself if you trust it.`
    : `Expected gzip data in ${file}, but they cannot be unpacked. Fetch the file again.`;
  return new LetheError("data", "DATA_GZIP", message, { details: { file, maxBytes }, cause });
}

async function readWhole(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function statOrUndefined(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (cause) {
    const isAbsent =
      cause instanceof Error && "code" in cause && /^(ENOENT|ENOTDIR)$/.test(String(cause.code));
    if (isAbsent) return undefined;
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): LetheError {
  return new LetheError("data", "DATA_UNREADABLE", `Expected a readable file, ${path} cannot be read.`, {
    details: { file: path },
    cause,
  });
}
