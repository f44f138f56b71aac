import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";

/** A PostgreSQL server of its own for a test. */
export interface Postgres {
  /** An empty database on loopback. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Where Debian keeps the server's programs, which are not on the path. */
const DEBIAN = "/usr/lib/postgresql";

/** The directory of the server's programs; `undefined` where PostgreSQL is not installed. */
export function postgresPrograms(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : [];
  const directories = [
    ...versions.toSorted((a, b) => Number(b) - Number(a)).map((version) => join(DEBIAN, version, "bin")),
    ...(process.env.PATH ?? "").split(":"),
  ];
  return directories.find((directory) => existsSync(join(directory, "initdb")));
}

/** Starts a server with a new cluster in a temporary directory. It does not survive a crash: nothing is written through. */
export async function startPostgres(programs: string): Promise<Postgres> {
  const directory = mkdtempSync(join(tmpdir(), "lethe-postgres-"));
  // The server refuses to run as root.
  const user = process.getuid?.() === 0 ? unprivilegedUser() : undefined;
  if (user !== undefined) chownSync(directory, user.uid, user.gid);
  const data = join(directory, "data");
  const made = spawnSync(
    join(programs, "initdb"),
    ["-D", data, "-A", "trust", "-U", "lethe", "--no-sync", "--no-locale", "-E", "UTF8"],
    { ...user, cwd: directory, encoding: "utf8" },
  );
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
  const port = await freePort();
  const settings = ["listen_addresses=127.0.0.1", `port=${port}`, "fsync=off", "shared_buffers=16MB"];
  const server = spawn(
    join(programs, "postgres"),
    ["-D", data, "-k", directory, ...settings.flatMap((setting) => ["-c", setting])],
    { ...user, cwd: directory, stdio: ["ignore", "ignore", "pipe"] },
  );
  let log = "";
  server.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const url = `postgres://lethe@127.0.0.1:${port}/postgres`;
  while (!(await accepts(url))) {
    if (server.exitCode !== null) throw new Error(`postgres: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    async stop() {
      await ended(server);
      rmSync(directory, { recursive: true });
    },
  };
}

function unprivilegedUser(): { readonly uid: number; readonly gid: number } {
  const lines = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const [, , uid, gid] =
    lines.find(([name]) => name === "postgres") ?? lines.find(([name]) => name === "nobody") ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function accepts(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/** Fast shutdown: connections are cut. */
function ended(server: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    server.once("close", () => resolve());
    server.kill("SIGINT");
  });
}
