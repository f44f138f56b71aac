import { type ChildProcess, spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");
/** Half of a short command's time goes into reading its sources; Node keeps what it made of them here. */
const COMPILE_CACHE = join(tmpdir(), "lethe-compile-cache");

/** What a finished command left. */
export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The JSON document on stdout. Throws when stdout is not exactly one. */
  json(): Record<string, unknown>;
}

/** How to run a command. */
export interface RunOptions {
  /** Sees stderr as it comes, and may kill the process. */
  readonly watch?: (stderr: string, child: ChildProcess) => void;
  /** Is given the process as soon as it is started. */
  readonly onStart?: (child: ChildProcess) => void;
  readonly cwd?: string;
  /** Beside the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the command line in a process of its own, with one thread of the engine. */
export function lethe(
  args: readonly string[],
  { watch, onStart, cwd, env }: RunOptions = {},
): Promise<Finished> {
  const child = spawn(process.execPath, ["--no-warnings", MAIN, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, CI: "true", NO_COLOR: "1", NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  onStart?.(child);
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
      watch?.(stderr, child);
    });
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({ code, signal, stdout, stderr, json: () => JSON.parse(stdout) }),
    );
  });
}
