import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { canonicalJson, type Json } from "./canonical-json.ts";

/** `sha256:` and 64 hexadecimal digits. */
export type Digest = string & { readonly __brand: "Digest" };

/** SHA-256 of bytes. */
export function digestBytes(bytes: Uint8Array): Digest {
  return `sha256:${bytesToHex(sha256(bytes))}` as Digest;
}

/** SHA-256 of a value's canonical JSON text. */
export function digestJson(value: Json): Digest {
  return digestBytes(new TextEncoder().encode(canonicalJson(value)));
}

/**
 * SHA-256 of named arrays, in name order: each contributes its name, its length and its little-endian bytes.
 * Two parameter sets have the same digest exactly when they are bit-identical.
 */
export function digestArrays(arrays: ReadonlyMap<string, ArrayBufferView>): Digest {
  const hash = sha256.create();
  for (const name of [...arrays.keys()].sort()) {
    const array = arrays.get(name) as ArrayBufferView;
    hash.update(new TextEncoder().encode(`${JSON.stringify(name)}:${array.byteLength};`));
    hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  }
  return `sha256:${bytesToHex(hash.digest())}` as Digest;
}
