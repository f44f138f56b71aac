import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { z } from "zod";
import type { Json } from "../kernel/canonical-json.ts";
import { LetheError } from "../kernel/errors.ts";
import { writeChunksAtomically } from "./atomic-file.ts";
import type { HistoryItem } from "./sqlite/history-items.ts";
import { STATUS_NUMBERS } from "./sqlite/history-schema.ts";

/** Version of the container; another one is refused. */
const VERSION = 1;
/** Bytes read from the file at once. */
const CHUNK_BYTES = 2 ** 16;
/** No line is longer: it names the clients of one round, not their records. */
const LONGEST_LINE = 2 ** 28;

const statuses = Object.keys(STATUS_NUMBERS) as [keyof typeof STATUS_NUMBERS];
const json = z.json() as z.ZodType<Json>;
const count = z.int().min(0);
/** Bytes that follow the line; a line's sections stand in the order of its members. */
const section = z.int().min(0);
const lineSchema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("header"),
    format: z.literal("lethe-history"),
    version: z.literal(VERSION),
    layout: json,
    codec: json,
    facts: json,
    digest: z.string(),
    sections: z.strictObject({ key: section, initialWeights: section }),
  }),
  z.strictObject({ type: z.literal("client"), ordinal: count, name: z.string(), erased: z.boolean() }),
  z.strictObject({
    type: z.literal("round"),
    round: count,
    metadata: json,
    weightsDigest: z.string(),
    checkpointDigest: z.string().optional(),
    digest: z.string(),
    entries: z.array(
      z.strictObject({
        client: count,
        status: z.enum(statuses),
        weight: z.number(),
        reference: count.optional(),
        digest: z.string().optional(),
        /** Bytes of the record; they follow the mean's, in the order of the entries. */
        record: section.optional(),
      }),
    ),
    sections: z.strictObject({ mean: section.optional() }),
  }),
  z.strictObject({
    type: z.literal("state"),
    round: count,
    sections: z.strictObject({ weights: section, checkpoint: section.optional() }),
  }),
  z.strictObject({
    type: z.literal("auxiliary"),
    client: count,
    name: z.string(),
    count,
    digest: z.string(),
    sections: z.strictObject({ mean: section }),
  }),
  z.strictObject({ type: z.literal("repair"), part: z.string(), note: z.string() }),
  z.strictObject({ type: z.literal("end"), items: count }),
]);

type Line = z.output<typeof lineSchema>;

/**
 * Writes a history as one file that any language reads: lines of JSON, each followed by the bytes it counts
 * (docs/history-format.md, section 8). Equal histories give equal files.
 *
 * @throws LETHE_TRANSIENT_WRITE
 */
export function writeContainer(path: string, items: Iterable<HistoryItem>): void {
  writeChunksAtomically(path, chunksOf(items));
}

function* chunksOf(items: Iterable<HistoryItem>): Generator<Uint8Array> {
  let written = 0;
  for (const item of items) {
    const { line, sections } = packed(item);
    yield new TextEncoder().encode(`${JSON.stringify(line)}\n`);
    yield* sections;
    written++;
  }
  yield new TextEncoder().encode(`${JSON.stringify({ type: "end", items: written } satisfies Line)}\n`);
}

/** An item's line, and the bytes behind it. */
function packed(item: HistoryItem): { readonly line: Line; readonly sections: readonly Uint8Array[] } {
  switch (item.type) {
    case "header": {
      const { type, key, initialWeights, ...rest } = item;
      const sections = { key: key.length, initialWeights: initialWeights.length };
      const line = { type, format: "lethe-history", version: VERSION, ...rest, sections } as const;
      return { line, sections: [key, initialWeights] };
    }
    case "round": {
      const { type, round, metadata, weightsDigest, checkpointDigest, digest, mean } = item;
      const entries = item.entries.map(({ record, ...entry }) => ({ ...entry, record: record?.length }));
      const sections = { mean: mean?.length };
      const line = {
        type,
        round,
        metadata,
        weightsDigest,
        checkpointDigest,
        digest,
        entries,
        sections,
      } as const;
      return { line, sections: [mean, ...item.entries.map(({ record }) => record)].filter(isPresent) };
    }
    case "state": {
      const { type, round, weights, checkpoint } = item;
      const sections = { weights: weights.length, checkpoint: checkpoint?.length };
      return { line: { type, round, sections }, sections: [weights, checkpoint].filter(isPresent) };
    }
    case "auxiliary": {
      const { mean, ...rest } = item;
      return { line: { ...rest, sections: { mean: mean.length } }, sections: [mean] };
    }
    case "client":
    case "repair":
      return { line: item, sections: [] };
    default:
      return item satisfies never;
  }
}

function isPresent(bytes: Uint8Array | undefined): bytes is Uint8Array {
  return bytes !== undefined;
}

/**
 * Reads what {@link writeContainer} wrote, one item in memory at a time.
 *
 * @throws LETHE_DATA_CONTAINER for a file of something else, a part of one, or one that goes on after its end
 */
export function* readContainer(path: string): Generator<HistoryItem, void, void> {
  const source = byteSource(path);
  try {
    for (let items = 0; ; items++) {
      const line = parseLine(source.line(), path, items);
      if ((items === 0) !== (line.type === "header")) throw notAContainer(path, `its header first, once`);
      if (line.type === "end") {
        if (line.items !== items) throw notAContainer(path, `${line.items} items, got ${items}`);
        if (source.left() > 0) throw notAContainer(path, `nothing after its end, got ${source.left()} bytes`);
        return;
      }
      yield unpacked(line, source.bytes);
    }
  } finally {
    source.close();
  }
}

function unpacked(line: Exclude<Line, { type: "end" }>, take: (length: number) => Uint8Array): HistoryItem {
  switch (line.type) {
    case "header": {
      const { format: _format, version: _version, sections, ...rest } = line;
      return { ...rest, key: take(sections.key), initialWeights: take(sections.initialWeights) };
    }
    case "round": {
      const { sections, ...rest } = line;
      const mean = sections.mean === undefined ? undefined : take(sections.mean);
      const entries = line.entries.map((entry) => ({
        ...entry,
        record: entry.record === undefined ? undefined : take(entry.record),
      }));
      return { ...rest, mean, entries };
    }
    case "state": {
      const { sections, type, round } = line;
      const weights = take(sections.weights);
      const checkpoint = sections.checkpoint === undefined ? undefined : take(sections.checkpoint);
      return { type, round, weights, checkpoint };
    }
    case "auxiliary": {
      const { sections, ...rest } = line;
      return { ...rest, mean: take(sections.mean) };
    }
    case "client":
    case "repair":
      return line;
    default:
      return line satisfies never;
  }
}

function parseLine(text: string, path: string, at: number): Line {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw notAContainer(path, `a line of JSON before item ${at}`, cause);
  }
  const parsed = lineSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw notAContainer(path, `item ${at} as documented: ${z.prettifyError(parsed.error)}`);
}

interface ByteSource {
  line(): string;
  readonly bytes: (length: number) => Uint8Array;
  left(): number;
  close(): void;
}

/** Lines and counted bytes of a file, through one buffer. */
function byteSource(path: string): ByteSource {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    throw notAContainer(path, "a readable file", cause);
  }
  const size = fstatSync(file).size;
  let position = 0;
  let buffer: Uint8Array = new Uint8Array(0);
  const refill = (wanted: number): void => {
    const more = new Uint8Array(Math.min(size - position, Math.max(CHUNK_BYTES, wanted - buffer.length)));
    for (let at = 0; at < more.length; ) {
      const got = readSync(file, more, at, more.length - at, position);
      if (got === 0) throw notAContainer(path, "a file that stays as it is while it is read");
      at += got;
      position += got;
    }
    const joined = new Uint8Array(buffer.length + more.length);
    joined.set(buffer);
    joined.set(more, buffer.length);
    buffer = joined;
  };
  const left = (): number => buffer.length + size - position;
  const bytes = (length: number): Uint8Array => {
    if (length > left()) throw notAContainer(path, `${length} more bytes, got ${left()}: it was cut off`);
    if (buffer.length < length) refill(length);
    const taken = buffer.slice(0, length);
    buffer = buffer.subarray(length);
    return taken;
  };
  return {
    bytes,
    left,
    line() {
      const NEWLINE = 10;
      for (let from = 0; ; ) {
        const end = buffer.indexOf(NEWLINE, from);
        if (end >= 0) return new TextDecoder().decode(bytes(end + 1).subarray(0, end));
        from = buffer.length;
        if (position === size || from > LONGEST_LINE) throw notAContainer(path, "an end: it was cut off");
        refill(2 * from);
      }
    },
    close: () => closeSync(file),
  };
}

function notAContainer(path: string, expected: string, cause?: unknown): LetheError {
  return new LetheError(
    "data",
    "DATA_CONTAINER",
    `Expected an exported history in ${path}, with ${expected}. Export it again with \`lethe history export\`.`,
    { details: { path }, ...(cause === undefined ? {} : { cause }) },
  );
}
