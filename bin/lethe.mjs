#!/usr/bin/env node
// Starts the command line. In a checkout it runs from source (never from a stale build); in the published package,
// which has no sources, from `dist`. On a Node older than 24 it starts again on the Node in node_modules.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, "src", "cli", "main.ts");
const entry = existsSync(source) ? source : join(root, "dist", "cli", "main.js");
const [major, minor] = process.versions.node.split(".").map(Number);

if (major > 24 || (major === 24 && minor >= 2)) {
  await import(pathToFileURL(entry).href);
} else {
  const bundled = [
    join(root, "node_modules", "node", "bin", "node"),
    join(root, "..", "node", "bin", "node"),
  ].find(existsSync);
  if (bundled === undefined) {
    process.stderr.write(
      `lethe needs Node 24.2 or newer, this is ${process.versions.node}. ` +
        "Run `npm install` in the checkout, or `npm install node@24` beside lethe.\n",
    );
    process.exit(2);
  }
  const result = spawnSync(bundled, [entry, ...process.argv.slice(2)], { stdio: "inherit" });
  process.exit(result.status ?? 1);
}
