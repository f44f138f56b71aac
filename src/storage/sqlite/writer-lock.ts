import { DatabaseSync } from "node:sqlite";
import { isLetheError, LetheError } from "../../kernel/errors.ts";
import { guarded } from "./database.ts";

/**
 * Takes the right to write `path`, held until it is released or the process ends, however it ends: a lock of the
 * operating system on an empty file beside it, so that readers are not kept out and no stale lock can stay behind.
 *
 * @param patienceMs - how long to wait for another writer; not at all when left out
 * @returns releases the lock
 * @throws LETHE_USAGE_SECOND_WRITER while another writer lives
 */
export function lockForWriting(path: string, patienceMs = 0): () => void {
  const lockPath = `${path}-writer`;
  return guarded(lockPath, () => {
    const lock = new DatabaseSync(lockPath, { timeout: patienceMs });
    try {
      guarded(lockPath, () => lock.exec("BEGIN EXCLUSIVE"));
    } catch (cause) {
      lock.close();
      if (!isLetheError(cause) || cause.code !== "LETHE_TRANSIENT_BUSY") throw cause;
      throw new LetheError(
        "usage",
        "USAGE_SECOND_WRITER",
        `Expected to be the only writer of ${path}, but another process writes it. Close it, or open read-only.`,
        { details: { path }, cause },
      );
    }
    return () => lock.close();
  });
}
