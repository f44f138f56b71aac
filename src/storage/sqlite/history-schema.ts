import type { DatabaseSync } from "node:sqlite";
import type { EntryStatus } from "../../history/entry.ts";
import { first } from "./database.ts";

/** "LTHU": marks the file as ours. */
const APPLICATION_ID = 0x4c544855;
/** Version of the tables; another one is refused. */
export const SCHEMA_VERSION = 1;
/**
 * The smallest pages there are, since every record leaves part of a page unused: 800 records of 7.7 kB take 6.66 MB in
 * pages of 512 bytes, 6.88 MB in pages of 1 KiB, 7.05 MB in pages of 8 KiB.
 */
const PAGE_BYTES = 512;
/** Entries are numbered round · 2^20 + client, so that a round is a range and needs no index. */
export const CLIENTS_PER_ROUND = 2 ** 20;

/** Numbers of the statuses in the file. */
export const STATUS_NUMBERS = {
  stored: 0,
  held: 1,
  average: 2,
  unsampled: 3,
  absent: 4,
  erased: 5,
  dropped: 6,
} as const satisfies Record<EntryStatus, number>;

const TABLES = `
CREATE TABLE header (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  layout TEXT NOT NULL,
  codec TEXT NOT NULL,
  key BLOB NOT NULL,
  facts TEXT NOT NULL,
  initial_weights BLOB NOT NULL,
  digest TEXT NOT NULL
) STRICT;
CREATE TABLE clients (
  ordinal INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  erased INTEGER NOT NULL DEFAULT 0,
  last_record_round INTEGER
) STRICT;
CREATE TABLE rounds (
  round INTEGER PRIMARY KEY,
  metadata TEXT NOT NULL,
  mean BLOB,
  weights_digest TEXT NOT NULL,
  checkpoint_digest TEXT,
  digest TEXT NOT NULL
) STRICT;
CREATE TABLE entries (
  id INTEGER PRIMARY KEY,
  status INTEGER NOT NULL,
  weight REAL NOT NULL,
  reference INTEGER,
  digest TEXT,
  record BLOB
) STRICT;
CREATE TABLE state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  round INTEGER NOT NULL REFERENCES rounds (round),
  weights BLOB NOT NULL,
  checkpoint BLOB
) STRICT;
CREATE TABLE auxiliary (
  client INTEGER NOT NULL REFERENCES clients (ordinal),
  name TEXT NOT NULL,
  count INTEGER NOT NULL,
  mean BLOB NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (client, name)
) STRICT;
-- A row here means: an erasure is recorded, and the space that held the client is still to be given back.
CREATE TABLE cleanup (id INTEGER PRIMARY KEY CHECK (id = 1)) STRICT;
`;

/** What a repair had to take on trust; only a repaired history has this table. */
export const REPAIRS_TABLE = `
CREATE TABLE IF NOT EXISTS repairs (part TEXT PRIMARY KEY, note TEXT NOT NULL) STRICT;
`;

/** Settings of a file before its first table. They are kept in the file. */
export function prepareFile(database: DatabaseSync): void {
  database.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = WAL;`);
}

/** Settings of a connection that writes: durable commits, and deleted content overwritten. */
export function prepareWriter(database: DatabaseSync): void {
  database.exec("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;");
}

/** Keeps the file below a size: SQLite then fails as on a full disk. */
export function limitSize(database: DatabaseSync, maxBytes: number): void {
  const pages = first<{ readonly page_size: number }>(database, "PRAGMA page_size")?.page_size ?? PAGE_BYTES;
  database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pages))}`);
}

/** Creates the tables; to be called inside a transaction with the header's insertion. */
export function createTables(database: DatabaseSync): void {
  database.exec(TABLES);
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION};`);
}

/** True for a database that holds anything at all. */
export function hasTables(database: DatabaseSync): boolean {
  return first(database, "SELECT 1 FROM sqlite_schema LIMIT 1") !== undefined;
}

/** True for a file that holds a history, false for a foreign one and one whose creation did not come to its end. */
export function isInitialised(database: DatabaseSync): boolean {
  const mark = first<{ readonly application_id: number }>(database, "PRAGMA application_id");
  const version = first<{ readonly user_version: number }>(database, "PRAGMA user_version");
  return mark?.application_id === APPLICATION_ID && version?.user_version === SCHEMA_VERSION;
}
