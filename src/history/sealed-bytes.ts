import { LetheError } from "../kernel/errors.ts";

/** "LTHE": the first bytes of what is encrypted. */
const MAGIC = 0x4548544c;
const VERSION = 1;
const HEAD_BYTES = 5;
/** Sizes that AES-GCM recommends. */
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;

/** What encryption adds to a record or a sum. */
export const SEAL_BYTES = HEAD_BYTES + NONCE_BYTES + TAG_BYTES;

/** Where encrypted bytes belong: their key opens them nowhere else. */
export interface SealIdentity {
  /** Digest of the history's header, and with it of its codec, layout and key of dithers. */
  readonly history: string;
  readonly client: string;
  /** `record`, or the name of an auxiliary vector. */
  readonly part: string;
  /** The record's round; of an auxiliary vector how many rounds it holds. */
  readonly counter: number;
}

/** The parts of encrypted bytes. */
export interface SealedParts {
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

/** [4 bytes mark | u8 version | 12 bytes nonce | ciphertext | 16 bytes tag] */
export function joinSealed({ nonce, ciphertext, tag }: SealedParts): Uint8Array {
  const bytes = new Uint8Array(SEAL_BYTES + ciphertext.length);
  new DataView(bytes.buffer).setUint32(0, MAGIC, true);
  bytes[4] = VERSION;
  bytes.set(nonce, HEAD_BYTES);
  bytes.set(ciphertext, HEAD_BYTES + NONCE_BYTES);
  bytes.set(tag, HEAD_BYTES + NONCE_BYTES + ciphertext.length);
  return bytes;
}

/**
 * Takes apart what {@link joinSealed} made; the parts are views.
 *
 * @throws LETHE_INTEGRITY_SEAL for bytes that are none
 */
export function splitSealed(bytes: Uint8Array, { client, part, counter }: SealIdentity): SealedParts {
  const end = bytes.length - TAG_BYTES;
  if (isSealed(bytes) && bytes[4] === VERSION && bytes.length >= SEAL_BYTES) {
    return {
      nonce: bytes.subarray(HEAD_BYTES, HEAD_BYTES + NONCE_BYTES),
      ciphertext: bytes.subarray(HEAD_BYTES + NONCE_BYTES, end),
      tag: bytes.subarray(end),
    };
  }
  throw new LetheError(
    "integrity",
    "INTEGRITY_SEAL",
    `Expected encrypted bytes of version ${VERSION} for ${part} ${counter} of client "${client}", got others: the history is damaged.`,
    { details: { client, part, counter } },
  );
}

/** Whether bytes begin as encrypted ones do; plain records begin with another mark. */
export function isSealed(bytes: Uint8Array): boolean {
  if (bytes.length < HEAD_BYTES) return false;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true) === MAGIC;
}

/**
 * The associated data of encrypted bytes: every field with its length, so that no two identities give the same.
 *
 * "lethe sealed 1" | u32 counter | for each of history, client, part: u32 bytes, UTF-8
 */
export function associatedData({ history, client, part, counter }: SealIdentity): Uint8Array {
  const encoder = new TextEncoder();
  const texts = [history, client, part].map((text) => encoder.encode(text));
  const mark = encoder.encode("lethe sealed 1");
  const bytes = new Uint8Array(mark.length + 4 + texts.reduce((sum, { length }) => sum + 4 + length, 0));
  const view = new DataView(bytes.buffer);
  bytes.set(mark);
  view.setUint32(mark.length, counter, true);
  let at = mark.length + 4;
  for (const text of texts) {
    view.setUint32(at, text.length, true);
    bytes.set(text, at + 4);
    at += 4 + text.length;
  }
  return bytes;
}
