import { digestBytes } from "../kernel/digest.ts";

/** 64 bits: two of a million people share one with a chance of 3 in 100 million. */
const DIGITS = 16;

/**
 * A name as a digest that is the same in every run: the first 16 hexadecimal digits of SHA-256 of `salt`, a zero byte and `name`.
 *
 * It keeps names out of ids, messages and reports. Who knows salt and name can make it again: it is no anonymity.
 *
 * @param salt - what the name is about, such as a dataset's id
 */
export function pseudonym(salt: string, name: string): string {
  const digest = digestBytes(new TextEncoder().encode(`${salt}\0${name}`));
  return digest.slice("sha256:".length, "sha256:".length + DIGITS);
}
