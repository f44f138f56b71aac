import { LetheError } from "../kernel/errors.ts";
import { deriveKey, type Key, randomStream } from "../kernel/key.ts";
import type { Samples } from "./dataset.ts";

/** One part of a request: `class:3`, `random:0.1`, `indices:FILE`, `subject:ID`, `group:ATTR=VALUE`. */
export type ForgetTerm =
  | { readonly kind: "class"; readonly label: number }
  | { readonly kind: "random"; readonly fraction: number }
  | { readonly kind: "indices"; readonly file: string }
  | { readonly kind: "subject"; readonly subject: string }
  | { readonly kind: "group"; readonly attribute: string; readonly value: string };

/** What a request of these terms is about. */
export type ForgetScope = "class" | "samples" | "subject" | "group";

/** A request applied to samples. */
export interface ForgetSelection {
  /** Ascending positions of what is to be forgotten. */
  readonly forget: Uint32Array;
  /** Ascending positions of the rest. */
  readonly retain: Uint32Array;
  readonly scope: ForgetScope;
  /** The classes of which nothing is retained, when whole classes were asked for. */
  readonly classes: readonly number[];
}

const FORMS = "class:LABEL, random:FRACTION, indices:FILE, subject:ID or group:ATTRIBUTE=VALUE";

/** At most so many values are listed in an error. */
const MOST_SHOWN = 10;

/**
 * Reads a request: terms separated by commas, whose samples are put together.
 *
 * @throws LETHE_USAGE_FORGET
 */
export function parseForgetSpec(text: string): readonly ForgetTerm[] {
  return text.split(",").map((part) => parseTerm(part.trim()));
}

function parseTerm(text: string): ForgetTerm {
  const at = text.indexOf(":");
  const [kind, argument] = at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  if (argument === "") throw specError(`Expected ${FORMS}, got \`${text}\`.`);
  switch (kind) {
    case "class": {
      if (!/^\d+$/.test(argument))
        throw specError(`Expected a class number in \`class:LABEL\`, got \`${argument}\`.`);
      return { kind, label: Number(argument) };
    }
    case "random": {
      const fraction = Number(argument);
      if (fraction > 0 && fraction < 1) return { kind, fraction };
      throw specError(
        `Expected a share in (0, 1) in \`random:FRACTION\`, got \`${argument}\`. Give a fraction, not a percentage.`,
      );
    }
    case "indices":
      return { kind, file: argument };
    case "subject":
      return { kind, subject: argument };
    case "group": {
      const equals = argument.indexOf("=");
      if (equals < 1 || equals === argument.length - 1) {
        throw specError(`Expected \`group:ATTRIBUTE=VALUE\`, got \`${text}\`.`);
      }
      return { kind, attribute: argument.slice(0, equals), value: argument.slice(equals + 1) };
    }
    case "client":
      throw specError(
        "Expected a request on a centrally trained model, got a client of a federation. Use `lethe simulate --unlearn client:ID`.",
      );
    default:
      throw specError(`Expected ${FORMS}, got \`${text}\`.`);
  }
}

/** What a request needs besides the samples. */
export interface ResolveOptions {
  /** Decides `random:`. */
  readonly key: Key;
  /** The text of an indices file: one position a line, from 0; blank lines and `#` comments are skipped. */
  readonly readFile: (path: string) => string;
}

/**
 * Finds the samples a request names.
 *
 * @throws LETHE_USAGE_FORGET for classes, subjects, groups or positions that are not there; LETHE_DATA_EMPTY when nothing, or
 *   everything, would be forgotten; LETHE_DATA_INDICES for a malformed indices file
 */
export function resolveForget(
  terms: readonly ForgetTerm[],
  samples: Samples,
  options: ResolveOptions,
): ForgetSelection {
  const isForgotten = new Uint8Array(samples.count);
  terms.forEach((term, index) => {
    for (const position of positionsOf(term, samples, index, options)) isForgotten[position] = 1;
  });
  const all = Uint32Array.from(samples.labels, (_, position) => position);
  const forget = all.filter((position) => isForgotten[position] === 1);
  const retain = all.filter((position) => isForgotten[position] === 0);
  if (forget.length === 0) {
    throw emptyError("Expected a request that names training samples, got one that names none.");
  }
  if (retain.length === 0) {
    throw emptyError(
      "Expected samples to be left, got a request for all of them. Discard the model instead.",
    );
  }
  const asked = [...new Set(terms.flatMap((term) => (term.kind === "class" ? [term.label] : [])))];
  const kept = samples.subset(retain).positionsByClass();
  return {
    forget,
    retain,
    scope: scopeOf(terms),
    classes: asked.filter((label) => kept[label]?.length === 0).sort((a, b) => a - b),
  };
}

/** `class` when nothing but whole classes is named, and so on; single samples otherwise. */
function scopeOf(terms: readonly ForgetTerm[]): ForgetScope {
  const kinds = new Set(terms.map(({ kind }) => kind));
  const [kind] = kinds;
  if (kinds.size > 1 || kind === undefined || kind === "random" || kind === "indices") return "samples";
  return kind;
}

function positionsOf(
  term: ForgetTerm,
  samples: Samples,
  index: number,
  { key, readFile }: ResolveOptions,
): Iterable<number> {
  switch (term.kind) {
    case "class": {
      const found = samples.positionsByClass()[term.label];
      if (found !== undefined && found.length > 0) return found;
      throw specError(
        `Expected a class of the training samples, 0 to ${samples.classCount - 1}, got ${term.label}${found === undefined ? "" : ", of which none is left"}.`,
      );
    }
    case "random": {
      const count = Math.max(1, Math.round(term.fraction * samples.count));
      return randomStream(deriveKey(key, "forget", index))
        .permutation(samples.count)
        .subarray(0, count);
    }
    case "indices":
      return readPositions(readFile(term.file), term.file, samples.count);
    case "subject":
      return matching(samples, term.subject, "subject", (position) => samples.subject(position));
    case "group": {
      const { attribute, value } = term;
      if (!samples.groupNames.includes(attribute)) {
        throw specError(
          `Expected a group attribute ${samples.groupNames.join(", ") || "(the data have none)"}, got \`${attribute}\`.`,
        );
      }
      return matching(
        samples,
        value,
        `group ${attribute}`,
        (position) => samples.groups(position)[attribute],
      );
    }
    default:
      return term satisfies never;
  }
}

function matching(
  samples: Samples,
  wanted: string,
  what: string,
  read: (position: number) => string | undefined,
): number[] {
  const found: number[] = [];
  const known = new Set<string>();
  for (let position = 0; position < samples.count; position++) {
    const value = read(position);
    if (value === wanted) found.push(position);
    if (value !== undefined) known.add(value);
  }
  if (found.length > 0) return found;
  // Subjects are people: their names are counted, not shown.
  const shown = what === "subject" ? "" : `: ${[...known].sort().slice(0, MOST_SHOWN).join(", ")}`;
  throw specError(
    `Expected a ${what} of the training samples, got \`${wanted}\`, which none of them has. ` +
      (known.size === 0 ? "The data name none." : `They have ${known.size}${shown}.`),
  );
}

function readPositions(text: string, file: string, count: number): number[] {
  const positions: number[] = [];
  const seen = new Set<number>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const word = line.replace(/#.*/, "").trim();
    if (word === "") continue;
    const position = Number(word);
    const where = `line ${index + 1} of ${file}`;
    if (!/^\d+$/.test(word) || position >= count) {
      throw indicesError(`Expected a position in [0, ${count}) in ${where}, got \`${word.slice(0, 20)}\`.`);
    }
    if (seen.has(position))
      throw indicesError(`Expected distinct positions, got ${position} again in ${where}.`);
    seen.add(position);
    positions.push(position);
  }
  return positions;
}

function specError(message: string): LetheError {
  return new LetheError("usage", "USAGE_FORGET", message);
}

function emptyError(message: string): LetheError {
  return new LetheError("data", "DATA_EMPTY", message);
}

function indicesError(message: string): LetheError {
  return new LetheError("data", "DATA_INDICES", message);
}
