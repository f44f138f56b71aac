import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { isLetheError, LetheError } from "../kernel/errors.ts";

/**
 * Writes a file so that a reader, or a restart after a crash, sees either the old content or the new, never a part:
 * a temporary file beside it, flushed to disk, then renamed. Missing folders are made.
 *
 * @throws LETHE_TRANSIENT_WRITE when the disk is full or the place cannot be written; the old content stays
 */
export function writeFileAtomically(path: string, content: string | Uint8Array): void {
  writeChunksAtomically(path, [typeof content === "string" ? new TextEncoder().encode(content) : content]);
}

/**
 * {@link writeFileAtomically} for content that is made piece by piece; where making it throws, the old content stays and the
 * error goes on as it is.
 */
export function writeChunksAtomically(path: string, chunks: Iterable<Uint8Array>): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  let written = 0;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const file = openSync(temporary, "w");
    try {
      for (const bytes of chunks) {
        for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
        written += bytes.length;
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (cause) {
    // Asked first: where the folder is a file, rmSync fails even when forced.
    if (existsSync(temporary)) rmSync(temporary);
    if (isLetheError(cause)) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LetheError(
      "transient",
      "TRANSIENT_WRITE",
      `Expected to write ${path} (${written} bytes so far): ${reason}. Free space or choose another place, then run again.`,
      { details: { path, bytes: written }, cause },
    );
  }
}
