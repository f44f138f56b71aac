import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const METHODS = join(import.meta.dirname, "../src/methods");

/** A documented declaration, with its comment and its id. */
const DECLARATION =
  /\/\*\*\n((?: \*(?!\/).*\n)+) \*\/\nexport const \w+ = defineMethod\(\{\n {2}id: "([^"]+)"/g;

/** What stands before each method's declaration, its update rule with sources and departures, as Markdown by id. */
export function updateRules(): ReadonlyMap<string, string> {
  const files = readdirSync(METHODS).filter((name) => name.endsWith(".ts"));
  const sources = files.map((name) => readFileSync(join(METHODS, name), "utf8"));
  const found = sources.flatMap((source) => [...source.matchAll(DECLARATION)]);
  return new Map(found.map(([, comment, id]) => [id as string, asMarkdown(comment as string)]));
}

function asMarkdown(comment: string): string {
  return fenced(comment.split("\n").map((line) => line.replace(/^ \* ?/, "")))
    .join("\n")
    .replace(/\{@link (\w+)\}/g, "`$1`")
    .trim();
}

/** Indented lines are formulas: they keep their form between fences. */
function fenced(lines: readonly string[]): string[] {
  const out: string[] = [];
  let isOpen = false;
  for (const line of lines) {
    const isFormula = line.startsWith("  ");
    if (isFormula && !isOpen) out.push("```text");
    if (!isFormula && isOpen) out.push("```");
    isOpen = isFormula;
    out.push(isFormula ? line.slice(2) : line);
  }
  return out;
}
