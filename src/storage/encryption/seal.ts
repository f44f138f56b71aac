import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from "node:crypto";
import {
  associatedData,
  joinSealed,
  NONCE_BYTES,
  type SealIdentity,
  splitSealed,
  TAG_BYTES,
} from "../../history/sealed-bytes.ts";
import { LetheError } from "../../kernel/errors.ts";

const CIPHER = "aes-256-gcm";
/** Of AES-256 and of HMAC-SHA-256. */
const KEY_BYTES = 32;

/**
 * Encrypts bytes that belong to one client at one place: AES-256-GCM under a key derived from the client's, bound to
 * {@link SealIdentity} as associated data.
 *
 * The nonce is the first 96 bits of HMAC-SHA-256(associated data | bytes) under a second derived key, so it differs wherever the
 * bytes or their place do: a round that was begun, lost in a crash and accepted again in other form never meets the same
 * nonce, and a run that was killed and goes on gives the same bytes. All it tells is that two equal inputs are equal.
 *
 * @param key - the client's, 32 random bytes
 * Source: NIST SP 800-38D (GCM); the nonce after P. Rogaway, T. Shrimpton, "Deterministic authenticated-encryption" (2006).
 */
export function seal(key: Uint8Array, identity: SealIdentity, bytes: Uint8Array): Uint8Array {
  const data = associatedData(identity);
  const nonce = createHmac("sha256", derived(key, "lethe nonce"))
    .update(data)
    .update(bytes)
    .digest()
    .subarray(0, NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, derived(key, "lethe records"), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(data);
  const ciphertext = Buffer.concat([cipher.update(bytes), cipher.final()]);
  return joinSealed({ nonce, ciphertext, tag: cipher.getAuthTag() });
}

/**
 * Decrypts what {@link seal} made.
 *
 * @throws LETHE_INTEGRITY_SEAL for another key, another place, or changed bytes
 */
export function unseal(key: Uint8Array, identity: SealIdentity, sealed: Uint8Array): Uint8Array {
  const { nonce, ciphertext, tag } = splitSealed(sealed, identity);
  const decipher = createDecipheriv(CIPHER, derived(key, "lethe records"), nonce, {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(associatedData(identity));
  decipher.setAuthTag(tag);
  try {
    const plain = Buffer.concat([decipher.update(ciphertext), decipher.final()]);
    return new Uint8Array(plain.buffer, plain.byteOffset, plain.length).slice();
  } catch (cause) {
    const { client, part, counter } = identity;
    throw new LetheError(
      "integrity",
      "INTEGRITY_SEAL",
      `The key of client "${client}" does not open its ${part} ${counter}: the keyring is another history's, or the bytes ` +
        "were changed or moved. Give the keyring this history was written with, or restore a copy.",
      { details: { client, part, counter }, cause },
    );
  }
}

/** Derived keys by the identity of the client's key: deriving costs as much as encrypting a small record. */
const known = new WeakMap<Uint8Array, Map<string, Uint8Array>>();

function derived(key: Uint8Array, purpose: string): Uint8Array {
  const keys = known.get(key) ?? new Map<string, Uint8Array>();
  known.set(key, keys);
  const found = keys.get(purpose) ?? new Uint8Array(hkdfSync("sha256", key, "", purpose, KEY_BYTES));
  keys.set(purpose, found);
  return found;
}
