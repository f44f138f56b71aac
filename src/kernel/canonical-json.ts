import { LetheError } from "./errors.ts";

/** Anything JSON can hold. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json | undefined };

/**
 * The one text of a JSON value: names sorted by code unit, no white space, `undefined` members left out. Equal values
 * give equal bytes, so that their digests can be compared (RFC 8785 for finite numbers).
 *
 * @throws LETHE_DATA_NOT_FINITE for NaN and infinities, which JSON cannot hold
 */
export function canonicalJson(value: Json): string {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new LetheError(
      "data",
      "DATA_NOT_FINITE",
      `Expected a finite number in a JSON value, got ${value}.`,
    );
  }
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value)
    .filter((entry): entry is [string, Json] => entry[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}

function isArray(value: object): value is readonly Json[] {
  return Array.isArray(value);
}
