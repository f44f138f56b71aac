import { LetheError } from "./errors.ts";

/** Names shown when none fits. */
const SHOWN = 5;

/**
 * The names that fit one of the patterns at least, in their own order. In a pattern `*` stands for any letters, dots included, and
 * `?` for one.
 *
 * @param what - what the names are of, for the message: `parameters of cnn`
 * @throws LETHE_USAGE_PATTERN for a pattern that fits no name, with the names closest to it
 */
export function namesMatching(
  names: readonly string[],
  patterns: readonly string[],
  what: string,
): Set<string> {
  const chosen = new Set<string>();
  for (const pattern of patterns) {
    const fits = names.filter(fitting(pattern));
    for (const name of fits) chosen.add(name);
    if (fits.length > 0) continue;
    const close = names
      .map((name) => ({ name, distance: distanceToPattern(pattern, name) }))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, SHOWN);
    throw new LetheError(
      "usage",
      "USAGE_PATTERN",
      `Expected a pattern that fits ${what}, got \`${pattern}\`, which fits none. Close are ${close.map(({ name }) => `\`${name}\``).join(", ") || "none: there are no names"}.`,
      { details: { pattern } },
    );
  }
  return new Set(names.filter((name) => chosen.has(name)));
}

/**
 * Few patterns that fit all of `chosen` and none of `others`: whole branches of dotted names where that is possible
 * (`layer4.*`), else the names themselves.
 */
export function patternsFor(chosen: readonly string[], others: readonly string[]): string[] {
  const patterns = chosen.map((name) => {
    const parts = name.split(".");
    for (let depth = 1; depth < parts.length; depth++) {
      const branch = `${parts.slice(0, depth).join(".")}.`;
      if (!others.some((other) => other.startsWith(branch))) return `${branch}*`;
    }
    return name;
  });
  return [...new Set(patterns)];
}

function fitting(pattern: string): (name: string) => boolean {
  const expression = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  const regular = new RegExp(`^${expression}$`, "s");
  return (name) => regular.test(name);
}

/** Changes of single letters that make a name fit (Levenshtein's distance), `*` taking any letters for nothing. */
function distanceToPattern(pattern: string, name: string): number {
  let row = Array.from({ length: name.length + 1 }, (_, at) => at);
  for (const letter of pattern) {
    const isStar = letter === "*";
    const next = [(row[0] as number) + (isStar ? 0 : 1)];
    for (let at = 1; at <= name.length; at++) {
      const fits = letter === "?" || letter === name[at - 1] ? 0 : 1;
      const [left, above, diagonal] = [next[at - 1] as number, row[at] as number, row[at - 1] as number];
      next.push(isStar ? Math.min(left, above) : Math.min(left + 1, above + 1, diagonal + fits));
    }
    row = next;
  }
  return row[name.length] as number;
}
