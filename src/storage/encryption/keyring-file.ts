import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { LetheError } from "../../kernel/errors.ts";
import { wrappingSchema } from "./wrapping.ts";

/** Version of the file; another one is refused. */
const VERSION = 1;
/** Readable by its owner alone. */
const MODE = 0o600;

const keyringSchema = z.strictObject({
  format: z.literal("lethe-keyring"),
  version: z.literal(VERSION),
  wrapping: wrappingSchema,
  /** Each client and its key under the master key; pairs, since any text may be a client's name. */
  keys: z.array(z.tuple([z.string(), z.string()])),
  /** Clients whose key was destroyed. */
  destroyed: z.array(z.string()),
});

/** What a keyring's file holds. */
export type KeyringContent = Omit<z.output<typeof keyringSchema>, "format" | "version">;

/**
 * Reads a keyring.
 *
 * @throws LETHE_DATA_KEYRING for a file of something else, or none
 */
export function readKeyringFile(path: string): KeyringContent {
  let cause: unknown;
  try {
    const parsed = keyringSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
    if (parsed.success) return parsed.data;
  } catch (error) {
    // Not the message of the JSON parser as well: it quotes the file.
    cause = error instanceof SyntaxError ? undefined : error;
  }
  throw new LetheError(
    "data",
    "DATA_KEYRING",
    `Expected a keyring of version ${VERSION} in ${path}, got something else, or a file that cannot be read.`,
    { details: { path }, ...(cause === undefined ? {} : { cause }) },
  );
}

/**
 * Writes a keyring, whole or not at all, for its owner's eyes alone, and overwrites the place where the old one lay before it is
 * given up. One writer at a time. Whether a medium keeps older copies of what is overwritten is beyond a program.
 *
 * @throws LETHE_TRANSIENT_WRITE
 */
export function writeKeyringFile(path: string, content: KeyringContent): void {
  const temporary = `${path}.tmp`;
  const text = `${JSON.stringify({ format: "lethe-keyring", version: VERSION, ...content }, undefined, 1)}\n`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    discard(temporary);
    const file = openSync(temporary, "wx", MODE);
    try {
      writeWhole(file, Buffer.from(text));
    } finally {
      closeSync(file);
    }
    // Opened before the new file takes its name: afterwards nothing else leads to the old bytes.
    const old = existsSync(path) ? openSync(path, "r+") : undefined;
    try {
      renameSync(temporary, path);
      syncDirectory(dirname(path));
      if (old !== undefined) overwrite(old);
    } finally {
      if (old !== undefined) closeSync(old);
    }
  } catch (cause) {
    discard(temporary);
    throw new LetheError(
      "transient",
      "TRANSIENT_WRITE",
      `Expected to write the keyring ${path}: ${cause instanceof Error ? cause.message : String(cause)}. Free space or choose another place.`,
      { details: { path }, cause },
    );
  }
}

/** What a process that was killed left behind: it may hold keys that are destroyed later. */
function discard(path: string): void {
  if (!existsSync(path)) return;
  const file = openSync(path, "r+");
  try {
    overwrite(file);
  } finally {
    closeSync(file);
  }
  rmSync(path);
}

function overwrite(file: number): void {
  writeWhole(file, Buffer.alloc(fstatSync(file).size));
}

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, at);
  fsyncSync(file);
}

/** A renamed file is there after a power cut only when its directory was flushed too. */
function syncDirectory(path: string): void {
  // Windows has no handle for a directory.
  if (process.platform === "win32") return;
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
