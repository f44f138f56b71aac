import { z } from "zod";
import { LetheError } from "../kernel/errors.ts";
import { sizeOf } from "../kernel/layout.ts";

/** Float32 arrays by name, with their shapes, and free text pairs. */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;
  readonly metadata: Readonly<Record<string, string>>;
}

const entrySchema = z.strictObject({
  dtype: z.literal("F32"),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});

/** Headers longer than this are not read: the limit of the format. */
const MAX_HEADER_BYTES = 100_000_000;
const BYTES_PER_FLOAT = 4;
/** The entry of the header that is no tensor. */
const METADATA = "__metadata__";

/**
 * Encodes tensors in the safetensors format: 8 bytes header length (little-endian), a JSON header, raw float32 data.
 *
 * @throws LETHE_INTERNAL_SAFETENSORS for values that do not fill their shape, and for the one name the format keeps
 * Source: the format's public description (huggingface/safetensors).
 */
export function encodeTensors({ tensors, metadata }: TensorFile): Uint8Array {
  const header: [string, unknown][] = [[METADATA, metadata]];
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    if (name === METADATA || data.length !== sizeOf(shape)) {
      throw new LetheError(
        "internal",
        "INTERNAL_SAFETENSORS",
        `Expected ${sizeOf(shape)} values in a tensor not called ${METADATA}, got ${data.length} in \`${name}\`.`,
      );
    }
    header.push([name, { dtype: "F32", shape, data_offsets: [offset, offset + data.byteLength] }]);
    offset += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  // Padded with spaces so that the data are aligned.
  const headerLength = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + offset).fill(0x20, 8, 8 + headerLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(text, 8);
  let at = 8 + headerLength;
  for (const { data } of tensors.values()) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/**
 * Reads float32 tensors of the safetensors format.
 *
 * @param name - what the bytes are called in errors
 * @throws LETHE_DATA_SAFETENSORS when the file is cut short, its header lies or it holds other types
 */
export function decodeTensors(bytes: Uint8Array, name: string): TensorFile {
  if (bytes.length < 8) throw safetensorsError(name, `at least 8 bytes, got ${bytes.length}`);
  const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (headerLength > Math.min(MAX_HEADER_BYTES, bytes.length - 8)) {
    throw safetensorsError(name, `a header within the file, got a length of ${headerLength}`);
  }
  const header = parseHeader(bytes.subarray(8, 8 + headerLength), name);
  const body = bytes.subarray(8 + headerLength);
  const entries = [...header]
    .filter(([key]) => key !== METADATA)
    .map(([key, value]) => [key, parseEntry(key, value, body.length, name)] as const);
  // Before anything is copied, so that a header cannot make more of the file than it holds.
  if (
    !isCovered(
      body.length,
      entries.map(([, entry]) => entry),
    )
  ) {
    throw safetensorsError(
      name,
      `tensors that share its ${body.length} bytes of data without gap or overlap`,
    );
  }
  const tensors = new Map(
    entries.map(([key, { shape, start, end }]) => [
      key,
      { shape, data: new Float32Array(new Uint8Array(body.subarray(start, end)).buffer) },
    ]),
  );
  const metadata = z.record(z.string(), z.string()).safeParse(header.get(METADATA) ?? {});
  if (!metadata.success) throw safetensorsError(name, "metadata of texts");
  return { tensors, metadata: metadata.data };
}

function parseHeader(bytes: Uint8Array, name: string): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return new Map(Object.entries(value));
  } catch (cause) {
    throw safetensorsError(name, "a JSON header", cause);
  }
  throw safetensorsError(name, "a JSON object as header");
}

/** Where a tensor lies in the data, in bytes. */
interface Entry {
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

function parseEntry(key: string, value: unknown, length: number, name: string): Entry {
  const entry = entrySchema.safeParse(value);
  if (!entry.success) throw safetensorsError(name, `tensor \`${key}\` to be float32 with offsets`);
  const { shape, data_offsets: offsets } = entry.data;
  const [start, end] = offsets;
  if (end > length || end - start !== sizeOf(shape) * BYTES_PER_FLOAT) {
    throw safetensorsError(name, `tensor \`${key}\` [${shape}] to fill bytes ${start}–${end} of ${length}`);
  }
  return { shape, start, end };
}

/** True when the entries lie end to end from 0 to `length`, as the format demands. */
function isCovered(length: number, entries: readonly Entry[]): boolean {
  let reached = 0;
  for (const { start, end } of entries.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (start !== reached) return false;
    reached = end;
  }
  return reached === length;
}

function safetensorsError(name: string, expected: string, cause?: unknown): LetheError {
  return new LetheError("data", "DATA_SAFETENSORS", `Expected ${expected} in ${name}.`, { cause });
}
