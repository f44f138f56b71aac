import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { LetheError } from "../../kernel/errors.ts";

/** Primary result codes of SQLite that have a meaning of their own here. */
const BUSY = 5;
const LOCKED = 6;
const READ_ONLY = 8;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;
/** How long a reader waits for a checkpoint of the writer. */
const BUSY_TIMEOUT_MS = 5_000;

/** Opens a database file; every failure becomes a {@link LetheError} that names the file. */
export function openDatabase(path: string, options: { readonly readOnly: boolean }): DatabaseSync {
  return guarded(path, () => {
    return new DatabaseSync(path, {
      readOnly: options.readOnly,
      timeout: BUSY_TIMEOUT_MS,
      enableForeignKeyConstraints: true,
    });
  });
}

/** The first row of a query. `Row` states the columns that the query names; STRICT tables keep their types. */
export function first<Row>(
  database: DatabaseSync,
  sql: string,
  ...values: readonly SQLInputValue[]
): Row | undefined {
  return database.prepare(sql).get(...values) as unknown as Row | undefined;
}

/** All rows of a query, as {@link first}. */
export function all<Row>(
  database: DatabaseSync,
  sql: string,
  ...values: readonly SQLInputValue[]
): readonly Row[] {
  return database.prepare(sql).all(...values) as unknown as readonly Row[];
}

/** Runs `work` in one transaction: all of it, or on a throw nothing. */
export function inTransaction<Result>(database: DatabaseSync, path: string, work: () => Result): Result {
  return guarded(path, () => {
    database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      database.exec("COMMIT");
      return result;
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  });
}

/** Runs `work` on one state of the database, whatever a writer does meanwhile. */
export function inSnapshot<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec("BEGIN");
  try {
    return work();
  } finally {
    database.exec("COMMIT");
  }
}

/**
 * Runs `work` and gives SQLite's failures their meaning.
 *
 * @throws LETHE_TRANSIENT_DISK_FULL, LETHE_TRANSIENT_BUSY, LETHE_TRANSIENT_IO, LETHE_INTEGRITY_DATABASE,
 *   LETHE_DATA_CANNOT_OPEN, LETHE_DATA_NEEDS_WRITER
 */
export function guarded<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw translated(error, path);
  }
}

function translated(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return error;
  const cause = error;
  const details = { path, sqlite: error.errcode };
  // The low byte is the primary code, the rest refines it.
  switch (error.errcode & 255) {
    case FULL:
      return new LetheError(
        "transient",
        "TRANSIENT_DISK_FULL",
        `No space is left to write ${path}. Nothing that was accepted is lost. Free some space and try again.`,
        { details, cause },
      );
    case BUSY:
    case LOCKED:
      return new LetheError(
        "transient",
        "TRANSIENT_BUSY",
        `${path} is in use by another process. Wait for it or close it, and try again.`,
        { details, cause },
      );
    case READ_ONLY:
      return new LetheError(
        "data",
        "DATA_NEEDS_WRITER",
        `A write to ${path} was interrupted and has to be undone, which a reader cannot do. Open it for writing once.`,
        { details, cause },
      );
    case IO_ERROR:
      return new LetheError(
        "transient",
        "TRANSIENT_IO",
        `Reading or writing ${path} failed. Nothing that was accepted is lost. Check the disk and try again.`,
        { details, cause },
      );
    case CORRUPT:
    case NOT_A_DATABASE:
      return new LetheError(
        "integrity",
        "INTEGRITY_DATABASE",
        `Expected an intact SQLite database in ${path}, got a damaged or foreign file. Restore it from a copy.`,
        { details, cause },
      );
    case CANNOT_OPEN:
      return new LetheError(
        "data",
        "DATA_CANNOT_OPEN",
        `Expected a readable file at ${path}, got none. Check the path and its permissions.`,
        { details, cause },
      );
    default:
      return new LetheError("internal", "INTERNAL_SQLITE", `SQLite failed on ${path}: ${error.message}.`, {
        details,
        cause,
      });
  }
}
