import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from "node:crypto";
import { z } from "zod";
import { LetheError } from "../../kernel/errors.ts";

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SALT_BYTES = 16;
/** scrypt's cost: 64 MiB and a tenth of a second for each guess. */
const COST = { N: 2 ** 16, r: 8, p: 1 };
/** What scrypt needs is 128·N·r bytes, with room to spare. */
const MOST_MEMORY = 2 ** 28;
/** A file may ask for no more than this: it could otherwise hold the process for hours. */
const MOST_N = 2 ** 20;

/** How the keyring's master key is kept: as it is, or encrypted under a passphrase. */
export const wrappingSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("none"), master: z.string() }),
  z.strictObject({
    kind: z.literal("passphrase"),
    salt: z.string(),
    N: z.int().min(2).max(MOST_N),
    r: z.int().min(1).max(16),
    p: z.int().min(1).max(4),
    master: z.string(),
  }),
]);

/** A wrapped master key. */
export type Wrapping = z.output<typeof wrappingSchema>;

/** A key nobody has seen. */
export function newKey(): Uint8Array {
  return new Uint8Array(randomBytes(KEY_BYTES));
}

/** Wraps a master key under a passphrase, or not at all without one. */
export function wrapMaster(master: Uint8Array, passphrase: string | undefined): Wrapping {
  if (passphrase === undefined) return { kind: "none", master: toText(master) };
  const salt = randomBytes(SALT_BYTES);
  const key = scryptSync(passphrase, salt, KEY_BYTES, { ...COST, maxmem: MOST_MEMORY });
  return {
    kind: "passphrase",
    salt: toText(salt),
    ...COST,
    master: toText(encrypted(key, "master", master)),
  };
}

/**
 * Unwraps a master key.
 *
 * @throws LETHE_USAGE_PASSPHRASE where one is missing, LETHE_INTEGRITY_PASSPHRASE where it is another
 */
export function unwrapMaster(wrapping: Wrapping, passphrase: string | undefined, path: string): Uint8Array {
  if (wrapping.kind === "none") return fromText(wrapping.master);
  if (passphrase === undefined) {
    throw new LetheError(
      "usage",
      "USAGE_PASSPHRASE",
      `Expected the passphrase of the keyring ${path}, got none. Give a file that holds it: --passphrase-file FILE.`,
      { details: { path } },
    );
  }
  const { N, r, p } = wrapping;
  const key = scryptSync(passphrase, fromText(wrapping.salt), KEY_BYTES, {
    N,
    r,
    p,
    maxmem: Math.max(MOST_MEMORY, 256 * N * r),
  });
  const master = decrypted(key, "master", fromText(wrapping.master));
  if (master) return master;
  throw new LetheError(
    "integrity",
    "INTEGRITY_PASSPHRASE",
    `The passphrase does not open the keyring ${path}. Give the one it was made with.`,
    { details: { path } },
  );
}

/** A client's key under the master key, as text: nonce, ciphertext, tag. */
export function wrapKey(master: Uint8Array, client: string, key: Uint8Array): string {
  return toText(encrypted(master, `client ${client}`, key));
}

/** The key that {@link wrapKey} wrapped, undefined where it was changed or moved to another name. */
export function unwrapKey(master: Uint8Array, client: string, text: string): Uint8Array | undefined {
  const key = decrypted(master, `client ${client}`, fromText(text));
  return key?.length === KEY_BYTES ? key : undefined;
}

function encrypted(key: Uint8Array, purpose: string, plain: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce);
  cipher.setAAD(Buffer.from(purpose));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypted(key: Uint8Array, purpose: string, bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const end = bytes.length - TAG_BYTES;
  try {
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(purpose));
    decipher.setAuthTag(bytes.subarray(end));
    return new Uint8Array(
      Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, end)), decipher.final()]),
    );
  } catch {
    // The only thing that fails is the tag: the caller says what that means.
    return undefined;
  }
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function fromText(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
