import type { DatabaseSync } from "node:sqlite";
import { digestHeader } from "../../history/chain.ts";
import { type CodecConfigInput, codecConfigSchema } from "../../history/config.ts";
import type { History, HistoryHeader, HistoryReader } from "../../history/store.ts";
import { canonicalJson } from "../../kernel/canonical-json.ts";
import { LetheError } from "../../kernel/errors.ts";
import { inlineEncoding } from "../encoding/record-encoding.ts";
import { workerEncoding } from "../encoding/worker-encoding.ts";
import type { ClientKeys } from "../encryption/client-keys.ts";
import { guarded, inTransaction, openDatabase } from "./database.ts";
import { createReader } from "./history-reader.ts";
import { floatBytes } from "./history-rows.ts";
import {
  createTables,
  hasTables,
  isInitialised,
  limitSize,
  prepareFile,
  prepareWriter,
  SCHEMA_VERSION,
} from "./history-schema.ts";
import { createWriter } from "./history-writer.ts";
import { type Vault, vaultOf } from "./vault.ts";
import { lockForWriting } from "./writer-lock.ts";

/** How to open a history. */
interface OpenOptions {
  /** Keys of an encrypted history; a reader without them sees everything but the clients' updates. */
  readonly keys?: ClientKeys | undefined;
}

/** How to open a file for writing. */
export interface WriterOptions extends OpenOptions {
  /** The file grows no further than this; a round that does not fit is refused as if the disk were full. */
  readonly maxBytes?: number;
  /** Threads that code updates beside this one; for large models, whose updates take tens of milliseconds. */
  readonly encodingWorkers?: number;
}

/** {@link HistoryHeader} with the codec's defaults left out. */
export type NewHistory = Omit<HistoryHeader, "codec"> & { readonly codec?: CodecConfigInput };

/**
 * Creates a history in a file of its own and opens it for writing.
 *
 * @throws LETHE_USAGE_HISTORY_EXISTS, LETHE_USAGE_SECOND_WRITER, LETHE_DATA_WEIGHTS_LENGTH, LETHE_DATA_NOT_A_HISTORY for a
 *   database of something else
 * @example
 * const history = await createHistory("run.history", { layout, key: keyFromSeed(1), facts: {}, initialWeights });
 */
export async function createHistory(
  path: string,
  header: NewHistory,
  options: WriterOptions = {},
): Promise<History> {
  const complete = { ...header, codec: codecConfigSchema.parse(header.codec ?? {}) };
  if (header.initialWeights.length !== header.layout.length) {
    throw new LetheError(
      "data",
      "DATA_WEIGHTS_LENGTH",
      `Expected ${header.layout.length} initial weights, got ${header.initialWeights.length}.`,
    );
  }
  return createWith(path, (database) => insertHeader(database, complete), options);
}

/**
 * Creates a history whose rows `fill` inserts, all in one transaction, and opens it for writing.
 *
 * @throws as {@link createHistory}, and what `fill` throws
 */
export function createWith(
  path: string,
  fill: (database: DatabaseSync) => void,
  options: WriterOptions = {},
): History {
  return openWith(path, options, (database) => {
    if (isInitialised(database)) {
      throw new LetheError(
        "usage",
        "USAGE_HISTORY_EXISTS",
        `Expected no history at ${path}, got one. Open it with openHistory, or choose another path.`,
        { details: { path } },
      );
    }
    if (hasTables(database)) throw notAHistory(path);
    prepareFile(database);
    inTransaction(database, path, () => {
      createTables(database);
      fill(database);
    });
  });
}

/**
 * Opens a history. A writer finishes what an interrupted erasure left; readers may be many, also beside a writer.
 *
 * @throws LETHE_USAGE_SECOND_WRITER, LETHE_DATA_NOT_A_HISTORY, LETHE_DATA_CANNOT_OPEN, LETHE_INTEGRITY_DATABASE
 */
export function openHistory(
  path: string,
  options: OpenOptions & { readonly readOnly: true },
): Promise<HistoryReader>;
export function openHistory(
  path: string,
  options?: WriterOptions & { readonly readOnly?: false },
): Promise<History>;
export async function openHistory(
  path: string,
  options: WriterOptions & { readonly readOnly?: boolean } = {},
): Promise<HistoryReader> {
  // Opening for writing would create what is not there.
  const reading = openDatabase(path, { readOnly: true });
  if (!options.readOnly) {
    reading.close();
    return openWith(path, options, (database) => expectHistory(database, path));
  }
  try {
    expectHistory(reading, path);
    return createReader(reading, path, vaultWith(options.keys), () => {});
  } catch (error) {
    reading.close();
    throw error;
  }
}

/** Locks, opens, runs `prepare`, and gives everything back when it fails. */
function openWith(
  path: string,
  { maxBytes, keys, encodingWorkers = 0 }: WriterOptions,
  prepare: (database: DatabaseSync) => void,
): History {
  const release = lockForWriting(path);
  let database: DatabaseSync | undefined;
  try {
    const opened = openDatabase(path, { readOnly: false });
    database = opened;
    guarded(path, () => {
      prepareWriter(opened);
      prepare(opened);
      if (maxBytes !== undefined) limitSize(opened, maxBytes);
    });
    const reader = createReader(opened, path, vaultWith(keys), release);
    const vault = vaultWith(keys)(reader.header, reader.genesis);
    const encoding =
      encodingWorkers === 0 ? inlineEncoding(reader.header) : workerEncoding(reader.header, encodingWorkers);
    return createWriter(opened, path, reader, vault, encoding);
  } catch (error) {
    database?.close();
    release();
    throw error;
  }
}

function vaultWith(keys: ClientKeys | undefined): (header: HistoryHeader, genesis: string) => Vault {
  return ({ codec }, genesis) => vaultOf(codec, genesis, keys);
}

/** @throws LETHE_DATA_NOT_A_HISTORY */
export function expectHistory(database: DatabaseSync, path: string): void {
  guarded(path, () => {
    if (!isInitialised(database)) throw notAHistory(path);
  });
}

function notAHistory(path: string): LetheError {
  return new LetheError(
    "data",
    "DATA_NOT_A_HISTORY",
    `Expected an update history of version ${SCHEMA_VERSION} in ${path}, got something else or one whose creation was ` +
      "interrupted. Create it again.",
    { details: { path } },
  );
}

function insertHeader(database: DatabaseSync, header: HistoryHeader): void {
  const tensors = header.layout.slots.map(({ name, shape, role }) => ({ name, shape, role }));
  const { key } = header;
  database
    .prepare(
      "INSERT INTO header (id, layout, codec, key, facts, initial_weights, digest) VALUES (1, ?, ?, ?, ?, ?, ?)",
    )
    .run(
      canonicalJson(tensors),
      canonicalJson(header.codec),
      new Uint8Array(key.buffer, key.byteOffset, key.byteLength),
      canonicalJson(header.facts),
      floatBytes(header.initialWeights),
      digestHeader(header),
    );
}
