// Records in SQLite blobs beside records in append-only segments: how fast rounds become durable and are read again. A round is
// a hundred records of 37 kB, as a million parameters at .3 bits make them. Writes bench/results/store-layout.json.
//
//   node bench/store-layout.ts [--rounds 60] [--out FILE]
import { execFileSync } from "node:child_process";
import {
  closeSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { describeMachine } from "../src/cli/machine.ts";
import { packageVersions } from "../src/cli/package-versions.ts";
import { crc32 } from "../src/kernel/crc32.ts";
import { keyFromSeed, randomStream } from "../src/kernel/key.ts";
import { writeFileAtomically } from "../src/storage/atomic-file.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "60" },
    out: { type: "string", default: join(import.meta.dirname, "results/store-layout.json") },
  },
});
const ROUNDS = Number(values.rounds);
const CLIENTS = 100;
const RECORD_BYTES = 37_000;
const REPETITIONS = 3;
/** Bytes before each record of a segment: round, client, length, checksum. */
const FRAME_BYTES = 16;

interface Layout {
  readonly name: string;
  append(round: number, records: readonly Uint8Array[]): void;
  read(round: number, client: number): Uint8Array;
  bytes(): number;
  close(): void;
}

const record = recordOf();
const records = Array.from({ length: CLIENTS }, () => record);
const makers = {
  "SQLite, pages of 512 bytes": (path: string) => sqlite(path, 512),
  "SQLite, pages of 4 KiB": (path: string) => sqlite(path, 4096),
  "SQLite, pages of 16 KiB": (path: string) => sqlite(path, 16_384),
  segment,
} as const;
const results = Object.entries(makers).map(([name, make]) => {
  const runs = Array.from({ length: REPETITIONS }, () => measure(make));
  const median = (of: (run: (typeof runs)[number]) => number): number =>
    runs.map(of).sort((a, b) => a - b)[Math.floor(runs.length / 2)] as number;
  const row = {
    name,
    writeMegabytesPerSecond: median((run) => run.write),
    roundMs: median((run) => run.roundMs),
    readInOrderMegabytesPerSecond: median((run) => run.inOrder),
    readAnywhereMegabytesPerSecond: median((run) => run.anywhere),
    overheadShare: median((run) => run.overhead),
  };
  console.log(row);
  return row;
});
const document = {
  command: `node bench/store-layout.ts --rounds ${ROUNDS}`,
  rounds: ROUNDS,
  clients: CLIENTS,
  recordBytes: RECORD_BYTES,
  repetitions: REPETITIONS,
  results,
  commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim(),
  machine: describeMachine(packageVersions()),
};
writeFileAtomically(values.out, `${JSON.stringify(document, undefined, 1)}\n`);

function measure(make: (path: string) => Layout) {
  const directory = mkdtempSync(join(tmpdir(), "lethe-layout-"));
  try {
    const layout = make(join(directory, "records"));
    const megabytes = (ROUNDS * CLIENTS * RECORD_BYTES) / 1e6;
    const seconds = (work: () => void): number => {
      const since = performance.now();
      work();
      return (performance.now() - since) / 1000;
    };
    const written = seconds(() => {
      for (let round = 0; round < ROUNDS; round++) layout.append(round, records);
    });
    const inOrder = seconds(() => {
      for (let round = 0; round < ROUNDS; round++)
        for (let client = 0; client < CLIENTS; client++) check(layout.read(round, client));
    });
    const stream = randomStream(keyFromSeed(2));
    const anywhere = seconds(() => {
      for (let at = 0; at < ROUNDS * CLIENTS; at++)
        check(layout.read(stream.below(ROUNDS), stream.below(CLIENTS)));
    });
    const bytes = layout.bytes();
    layout.close();
    return {
      write: megabytes / written,
      roundMs: (1000 * written) / ROUNDS,
      inOrder: megabytes / inOrder,
      anywhere: megabytes / anywhere,
      overhead: bytes / (1e6 * megabytes) - 1,
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** As the store has them. */
function sqlite(path: string, pageBytes: number): Layout {
  const database = new DatabaseSync(path);
  database.exec(
    `PRAGMA page_size = ${pageBytes}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
     CREATE TABLE entries (id INTEGER PRIMARY KEY, record BLOB) STRICT`,
  );
  const insert = database.prepare("INSERT INTO entries (id, record) VALUES (?, ?)");
  const find = database.prepare("SELECT record FROM entries WHERE id = ?");
  return {
    name: "sqlite",
    append(round, list) {
      database.exec("BEGIN IMMEDIATE");
      for (const [client, bytes] of list.entries()) insert.run(round * 2 ** 20 + client, bytes);
      database.exec("COMMIT");
    },
    read: (round, client) => (find.get(round * 2 ** 20 + client) as { record: Uint8Array }).record,
    bytes() {
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      return statSync(path).size;
    },
    close: () => database.close(),
  };
}

/** The least an append-only file can do: frames with a checksum, one flush a round, an index in memory. */
function segment(path: string): Layout {
  const file = openSync(path, "w+");
  const places = new Map<number, number>();
  let end = 0;
  return {
    name: "segment",
    append(round, list) {
      const bytes = Buffer.alloc(list.length * (FRAME_BYTES + RECORD_BYTES));
      let at = 0;
      for (const [client, one] of list.entries()) {
        bytes.writeUInt32LE(round, at);
        bytes.writeUInt32LE(client, at + 4);
        bytes.writeUInt32LE(one.length, at + 8);
        bytes.writeUInt32LE(crc32(one), at + 12);
        bytes.set(one, at + FRAME_BYTES);
        places.set(round * 2 ** 20 + client, end + at + FRAME_BYTES);
        at += FRAME_BYTES + one.length;
      }
      writeSync(file, bytes, 0, bytes.length, end);
      fdatasyncSync(file);
      end += bytes.length;
    },
    read(round, client) {
      const bytes = new Uint8Array(RECORD_BYTES);
      readSync(file, bytes, 0, RECORD_BYTES, places.get(round * 2 ** 20 + client) ?? 0);
      return bytes;
    },
    bytes: () => statSync(path).size,
    close: () => closeSync(file),
  };
}

/** So that what was read is looked at. */
function check(bytes: Uint8Array): void {
  if (bytes.length !== RECORD_BYTES || bytes[RECORD_BYTES - 1] !== record[RECORD_BYTES - 1])
    throw new Error("Another record was read.");
}

function recordOf(): Uint8Array {
  const stream = randomStream(keyFromSeed(1));
  return Uint8Array.from({ length: RECORD_BYTES }, () => stream.below(256));
}
