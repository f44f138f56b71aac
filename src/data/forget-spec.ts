import { LetheError } from "../kernel/errors.ts";

/** One part of a forget specification: which samples are meant by it. */
export type ForgetTerm =
  | { readonly kind: "class"; readonly label: number }
  | { readonly kind: "random"; readonly fraction: number }
  | { readonly kind: "indices"; readonly file: string }
  | { readonly kind: "subject"; readonly id: string }
  | { readonly kind: "group"; readonly attribute: string; readonly value: string }
  | { readonly kind: "client"; readonly id: string };

/** What a person asks to be forgotten: the union of all terms, at least one. */
export type ForgetSpec = readonly ForgetTerm[];

/** How specifications are written, for help texts and messages. */
export const FORGET_FORM =
  "class:LABEL, random:FRACTION, indices:FILE, subject:ID, group:ATTRIBUTE=VALUE or client:ID, joined by commas";

const KINDS = ["class", "random", "indices", "subject", "group", "client"] as const;
type Kind = (typeof KINDS)[number];

const WHOLE_NUMBER = /^\d{1,9}$/;
const NUMBER = /^(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Reads a forget specification such as `class:3`, `random:0.1` or `subject:ann,group:town=Ulm`.
 *
 * Parts are joined by commas and mean all they name together. A part without a kind has that of the part before:
 * `client:0,4` are two clients. A comma inside a value is written `%2C`, a percent sign `%25`.
 *
 * @returns the parts in the order written; no file is read and nothing looked up
 * @throws LETHE_USAGE_FORGET for anything else, for a fraction outside (0, 1) and for a part written twice
 */
export function parseForgetSpec(text: string): ForgetSpec {
  let kind: Kind | undefined;
  const seen = new Set<string>();
  return text.split(",").map((part) => {
    const colon = part.indexOf(":");
    const named = KINDS.find((known) => known === part.slice(0, colon));
    kind = named ?? kind;
    if (kind === undefined) throw forgetError(`Expected ${FORGET_FORM}, got \`${text}\`.`);
    const value = decoded(named === undefined ? part : part.slice(colon + 1), text);
    if (value === "") throw forgetError(`Expected a value after \`${kind}:\`, got none in \`${text}\`.`);
    const name = `${kind}:${value}`;
    if (seen.has(name)) throw forgetError(`Expected each part once, got \`${name}\` twice.`);
    seen.add(name);
    return termOf(kind, value);
  });
}

function termOf(kind: Kind, value: string): ForgetTerm {
  switch (kind) {
    case "class":
      return { kind, label: labelOf(value) };
    case "random":
      return { kind, fraction: fractionOf(value) };
    case "indices":
      return { kind, file: value };
    case "subject":
    case "client":
      return { kind, id: value };
    case "group":
      return groupOf(value);
    default:
      return kind satisfies never;
  }
}

function labelOf(value: string): number {
  if (WHOLE_NUMBER.test(value)) return Number(value);
  throw forgetError(`Expected the number of a class, from 0, as in class:3, got \`class:${value}\`.`);
}

function fractionOf(value: string): number {
  const fraction = NUMBER.test(value) ? Number(value) : Number.NaN;
  if (fraction > 0 && fraction < 1) return fraction;
  throw forgetError(
    `Expected a fraction in (0, 1) as in random:0.1, got \`random:${value}\`. 0.1 is ten per cent.`,
  );
}

function groupOf(text: string): ForgetTerm {
  const [, attribute, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (attribute === undefined || value === undefined) {
    throw forgetError(`Expected an attribute and its value as in group:town=Ulm, got \`group:${text}\`.`);
  }
  return { kind: "group", attribute, value };
}

function decoded(value: string, text: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw forgetError(`Expected a percent sign to be written %25, got \`${text}\`.`);
  }
}

/** A request to forget that cannot be met as written. */
export function forgetError(message: string): LetheError {
  return new LetheError("usage", "USAGE_FORGET", message);
}
