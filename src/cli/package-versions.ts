import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { z } from "zod";

const descriptionSchema = z.looseObject({ version: z.string() });

/** The version of this package; its description is two folders up in the sources and in the build. */
export function packageVersion(): string {
  return versionIn(join(import.meta.dirname, "../../package.json"));
}

/** Versions that decide a result's digits: Lethe's and the engine's. */
export function packageVersions(): Readonly<Record<string, string>> {
  const engine = createRequire(import.meta.url).resolve("onnxruntime-node/package.json");
  return { lethe: packageVersion(), "onnxruntime-node": versionIn(engine) };
}

function versionIn(path: string): string {
  return descriptionSchema.parse(JSON.parse(readFileSync(path, "utf8"))).version;
}
