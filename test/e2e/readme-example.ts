import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The code of README.md's block under `<!-- example: NAME -->`.
 *
 * @throws when there is no such mark, or no ```ts block right after it: an example nobody runs is no example
 */
export function readmeExample(name: string): string {
  const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
  const code = readme.split(`<!-- example: ${name} -->\n`)[1]?.match(/^```ts\n(.*?)^```$/ms);
  if (code?.index === 0 && code[1]?.trim()) return code[1];
  throw new Error(`Expected a block of TypeScript right under <!-- example: ${name} --> in README.md.`);
}
