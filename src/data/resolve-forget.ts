import { deriveKey, type Key, randomStream } from "../kernel/key.ts";
import { closeWords } from "./close-words.ts";
import type { Samples } from "./dataset.ts";
import { type ForgetSpec, type ForgetTerm, forgetError } from "./forget-spec.ts";
import { parseSampleIndices } from "./sample-indices.ts";

/** What kind of thing is forgotten as a whole; `sample` where it is anything else than all of one kind. */
export type ForgetScope = "class" | "sample" | "subject" | "group" | "client";

/** What a specification needs besides the samples. */
export interface ForgetResources {
  /** The text of the file of an `indices:` part. */
  readonly indicesText?: (file: string) => string;
  /** Positions each federated client holds; left out where there are no clients. */
  readonly clients?: ReadonlyMap<string, Uint32Array>;
}

/** A specification applied to samples: every position is in exactly one of the two sets. */
export interface ForgetSets {
  /** Ascending, not empty. */
  readonly forget: Uint32Array;
  /** Ascending, not empty. */
  readonly retain: Uint32Array;
  /** For people: `class 3 (5,851 samples)`. Names no subject. */
  readonly description: string;
  readonly scope: ForgetScope;
}

const SCOPES = {
  class: "class",
  random: "sample",
  indices: "sample",
  subject: "subject",
  group: "group",
  client: "client",
} as const satisfies Record<ForgetTerm["kind"], ForgetScope>;

/**
 * Divides samples into those a specification names (the union of its parts) and all others.
 *
 * `random:f` takes max(1, round(f · count)) of all samples, the same for the same key.
 *
 * @param samples - labels, subjects and groups are read, never features
 * @param key - decides random parts
 * @throws LETHE_USAGE_FORGET for a class, subject, group or client that does not exist (with close names), or when nothing would
 * be left · LETHE_DATA_INDICES
 * @example
 * const { forget, retain } = resolveForget(parseForgetSpec("class:3"), train, keyFromSeed(1));
 */
export function resolveForget(
  spec: ForgetSpec,
  samples: Samples,
  key: Key,
  resources: ForgetResources = {},
): ForgetSets {
  const isForgotten = new Uint8Array(samples.count);
  const descriptions = spec.map((term, at) => {
    const positions = positionsOf(term, samples, deriveKey(key, "forget", at), resources);
    for (const position of positions) isForgotten[position] = 1;
    const noun = positions.length === 1 ? "sample" : "samples";
    return `${nameOf(term)} (${positions.length.toLocaleString("en")} ${noun})`;
  });
  const all = Uint32Array.from(isForgotten, (_, position) => position);
  const forget = all.filter((position) => isForgotten[position]);
  const retain = all.filter((position) => !isForgotten[position]);
  if (forget.length === 0) throw forgetError("Expected samples to forget, got a request that names none.");
  if (retain.length === 0) {
    throw forgetError(
      `Expected samples to be kept, got a request to forget all ${samples.count}. A new model is what remains then.`,
    );
  }
  const scopes = new Set(spec.map(({ kind }) => SCOPES[kind]));
  const [scope = "sample"] = scopes;
  return { forget, retain, description: descriptions.join(", "), scope: scopes.size > 1 ? "sample" : scope };
}

function positionsOf(term: ForgetTerm, samples: Samples, key: Key, resources: ForgetResources): Uint32Array {
  switch (term.kind) {
    case "class":
      return positionsOfClass(term.label, samples);
    case "random": {
      const count = Math.max(1, Math.round(term.fraction * samples.count));
      return randomStream(key).permutation(samples.count).slice(0, count);
    }
    case "indices": {
      const { indicesText } = resources;
      if (!indicesText) throw forgetError(`Expected a way to read \`indices:${term.file}\`, got none.`);
      return parseSampleIndices(indicesText(term.file), term.file, samples.count);
    }
    case "subject":
      return positionsOfSubject(term.id, samples);
    case "group":
      return positionsOfGroup(term.attribute, term.value, samples);
    case "client":
      return positionsOfClient(term.id, resources);
    default:
      return term satisfies never;
  }
}

function positionsOfClass(label: number, samples: Samples): Uint32Array {
  const positions = samples.positionsByClass()[label];
  if (!positions) {
    throw forgetError(`Expected a class in 0 … ${samples.classCount - 1}, got \`class:${label}\`.`);
  }
  if (positions.length === 0) throw forgetError(`Expected samples of class ${label}, got none.`);
  return positions;
}

function positionsOfSubject(id: string, samples: Samples): Uint32Array {
  const positions = where(samples, (position) => samples.subject(position) === id);
  if (positions.length > 0) return positions;
  const known = new Set(each(samples, (position) => samples.subject(position)));
  known.delete(undefined);
  if (known.size === 0) {
    throw forgetError(
      "Expected samples with subjects, but this data names none (`&subject=COLUMN` of a table).",
    );
  }
  throw unknownName(`one of ${known.size} subjects`, `subject:${id}`, id, known as Set<string>);
}

function positionsOfGroup(attribute: string, value: string, samples: Samples): Uint32Array {
  const name = `group:${attribute}=${value}`;
  if (!samples.groupNames.includes(attribute)) {
    const known = samples.groupNames.join(", ") || "none in this data";
    throw forgetError(`Expected an attribute of the samples (${known}), got \`${name}\`.`);
  }
  const valueAt = (position: number): string => samples.groups(position)[attribute] ?? "";
  const positions = where(samples, (position) => valueAt(position) === value);
  if (positions.length > 0) return positions;
  const known = new Set(each(samples, valueAt));
  throw unknownName(`one of ${known.size} values of \`${attribute}\``, name, value, known);
}

function positionsOfClient(id: string, { clients }: ForgetResources): Uint32Array {
  if (!clients) {
    throw forgetError(`Expected a model trained by clients for \`client:${id}\`, got one trained centrally.`);
  }
  const positions = clients.get(id);
  if (positions === undefined)
    throw unknownName(`one of ${clients.size} clients`, `client:${id}`, id, clients.keys());
  if (positions.length === 0) throw forgetError(`Expected samples of client ${id}, got none.`);
  return positions;
}

function unknownName(expected: string, name: string, word: string, known: Iterable<string>): Error {
  const close = closeWords(word, known);
  const hint = close.length > 0 ? ` Is ${close.map((other) => `\`${other}\``).join(" or ")} meant?` : "";
  return forgetError(`Expected ${expected}, got \`${name}\`.${hint}`);
}

function nameOf(term: ForgetTerm): string {
  switch (term.kind) {
    case "class":
      return `class ${term.label}`;
    case "random":
      return `a random ${Number((100 * term.fraction).toPrecision(4))} %`;
    case "indices":
      return "chosen samples";
    case "subject":
      return "one subject";
    case "group":
      return `group ${term.attribute} = ${term.value}`;
    case "client":
      return `client ${term.id}`;
    default:
      return term satisfies never;
  }
}

function each<Value>(samples: Samples, valueAt: (position: number) => Value): readonly Value[] {
  return Array.from({ length: samples.count }, (_, position) => valueAt(position));
}

function where(samples: Samples, isMeant: (position: number) => boolean): Uint32Array {
  return Uint32Array.from(each(samples, (position) => position).filter(isMeant));
}
