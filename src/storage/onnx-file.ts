import { closeSync, openSync, readFileSync, readSync, realpathSync, statSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { LetheError } from "../kernel/errors.ts";
import type { ExternalData, ExternalFile } from "../onnx/read-tensor.ts";

/** A model's file and the way to the files its weights may be in. */
export interface OnnxFile {
  readonly bytes: Uint8Array;
  readonly external: ExternalData;
}

/** Asked of the system at once; more in one call is refused by some. */
const CHUNK_BYTES = 1 << 30;

/**
 * Opens an ONNX file. Its external data are read tensor by tensor, when their values are asked for, so that a model of many
 * gigabytes costs no more than what is used of it.
 *
 * @throws LETHE_DATA_FILE when it cannot be read; the external data throw LETHE_DATA_EXTERNAL for a path that leaves the model's
 *   folder, by dots or by a link, and for a file that is not there
 */
export function openOnnxFile(path: string): OnnxFile {
  try {
    const folder = realpathSync(dirname(path));
    return { bytes: readFileSync(path), external: (location) => openBeside(folder, location) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LetheError("data", "DATA_FILE", `Expected a readable file at ${path}: ${reason}.`, {
      cause,
      details: { path },
    });
  }
}

function openBeside(folder: string, location: string): ExternalFile {
  const path = realPath(join(folder, location), location);
  const inside = relative(folder, path);
  if (inside === "" || inside === ".." || inside.startsWith(`..${sep}`)) {
    throw externalError(`weights in the model's own folder, got the path \`${location}\``);
  }
  const status = statSync(path);
  if (!status.isFile()) throw externalError(`a file of weights at \`${location}\``);
  return { length: status.size, read: (offset, length) => readPart(path, location, offset, length) };
}

function realPath(path: string, location: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw externalError(`a file \`${location}\` with the weights beside the model, got none`, cause);
  }
}

function readPart(path: string, location: string, offset: number, length: number): Uint8Array {
  const part = new Uint8Array(length);
  const file = openSync(path, "r");
  try {
    for (let at = 0; at < length; ) {
      const read = readSync(file, part, at, Math.min(CHUNK_BYTES, length - at), offset + at);
      if (read === 0) throw externalError(`${length} bytes at ${offset} of \`${location}\`, got its end`);
      at += read;
    }
    return part;
  } finally {
    closeSync(file);
  }
}

function externalError(expected: string, cause?: unknown): LetheError {
  return new LetheError("data", "DATA_EXTERNAL", `Expected ${expected}.`, { cause });
}
