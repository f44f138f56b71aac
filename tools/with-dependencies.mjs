// Runs a command of this checkout with its dependencies: `node tools/with-dependencies.mjs COMMAND [ARGUMENT…]`. Makes
// `npm run demo` and `npm test` work on a fresh clone: installs the locked dependencies when they are absent or older than
// the lock file, then starts the command from node_modules, and so on the Node 24 there. Plain JavaScript without
// dependencies, because it runs before anything is installed and on whatever Node the machine has (18 or newer). One
// process after the other, not `a && b` in a script: a shell remembers where it found the first `node`.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const isWindows = process.platform === "win32";
const stampFile = join(root, "node_modules", ".lethe-lock-digest");
const lockDigest = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");

if (!existsSync(stampFile) || readFileSync(stampFile, "utf8") !== lockDigest) {
  process.stderr.write("Installing dependencies (once) ...\n");
  // Not `npm ci`: it refuses a lock file made where a registry lacked optional packages of other platforms. The locked
  // versions are installed all the same, and `--no-save` leaves the lock file as it is.
  // Progress goes to stderr: stdout belongs to the command's own output (`--json`).
  const install = ["install", "--no-save", "--no-fund", "--no-audit", "--loglevel=error"];
  const { status } = spawnSync("npm", install, { cwd: root, stdio: ["ignore", 2, 2], shell: isWindows });
  if (status !== 0) {
    process.stderr.write("Installing dependencies failed; run `npm install` to see why.\n");
    process.exit(status ?? 1);
  }
  writeFileSync(stampFile, lockDigest);
}

const [command, ...args] = process.argv.slice(2);
const binaries = join(root, "node_modules", ".bin");
// Ctrl-C reaches the command too; this process waits for how it ends.
process.on("SIGINT", () => {});
const { status, signal } = spawnSync(join(binaries, command), args, {
  stdio: "inherit",
  shell: isWindows,
  env: { ...process.env, PATH: `${binaries}${delimiter}${process.env.PATH ?? ""}` },
});
process.exit(status ?? (signal === null ? 1 : 128 + constants.signals[signal]));
