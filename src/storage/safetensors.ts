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

const headerSchema = z.record(z.string(), z.unknown());

/** Headers longer than this are not read: the limit of the format. */
const MAX_HEADER_BYTES = 100_000_000;
const BYTES_PER_FLOAT = 4;

/**
 * Encodes tensors in the safetensors format: 8 bytes header length (little-endian), a JSON header, raw float32 data.
 * Source: the format's public description (huggingface/safetensors).
 */
export function encodeTensors({ tensors, metadata }: TensorFile): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
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
  const tensors = new Map<string, { shape: number[]; data: Float32Array }>();
  for (const [key, value] of Object.entries(header)) {
    if (key === "__metadata__") continue;
    const entry = entrySchema.safeParse(value);
    if (!entry.success) throw safetensorsError(name, `tensor \`${key}\` to be float32 with offsets`);
    const {
      shape,
      data_offsets: [start, end],
    } = entry.data;
    if (end > body.length || end - start !== sizeOf(shape) * BYTES_PER_FLOAT) {
      throw safetensorsError(
        name,
        `tensor \`${key}\` [${shape}] to fill bytes ${start}–${end} of ${body.length}`,
      );
    }
    tensors.set(key, { shape, data: new Float32Array(new Uint8Array(body.subarray(start, end)).buffer) });
  }
  const metadata = z.record(z.string(), z.string()).safeParse(header.__metadata__ ?? {});
  if (!metadata.success) throw safetensorsError(name, "metadata of texts");
  return { tensors, metadata: metadata.data };
}

function parseHeader(bytes: Uint8Array, name: string): Record<string, unknown> {
  try {
    return headerSchema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw safetensorsError(name, "a JSON header", cause);
  }
}

function safetensorsError(name: string, expected: string, cause?: unknown): LetheError {
  return new LetheError("data", "DATA_SAFETENSORS", `Expected ${expected} in ${name}.`, { cause });
}
