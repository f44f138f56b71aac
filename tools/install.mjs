// Makes `npm run demo` and `npm test` work on a fresh clone: installs the locked dependencies when they are absent
// or older than the lock file. Plain JavaScript without dependencies, because it runs before anything is installed and
// on whatever Node the machine has (18 or newer); the scripts that follow it run on the Node in node_modules.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, "node_modules", ".lethe-lock-digest");
const lockDigest = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");

if (!existsSync(stampFile) || readFileSync(stampFile, "utf8") !== lockDigest) {
  process.stderr.write("Installing dependencies (once) ...\n");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  // Progress goes to stderr: stdout belongs to the command's own output (`--json`).
  // Not `npm ci`: it refuses a lock file made where a registry lacked optional packages of other platforms. The locked
  // versions are installed all the same, and `--no-save` leaves the lock file as it is.
  const result = spawnSync(npm, ["install", "--no-save", "--no-fund", "--no-audit", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (result.status !== 0) {
    process.stderr.write("Installing dependencies failed; run `npm install` to see why.\n");
    process.exit(result.status ?? 1);
  }
  writeFileSync(stampFile, lockDigest);
}
