import { existsSync } from "node:fs";
import { LetheError } from "../../kernel/errors.ts";
import { lockForWriting } from "../sqlite/writer-lock.ts";
import type { ClientKeys } from "./client-keys.ts";
import { type KeyringContent, readKeyringFile, writeKeyringFile } from "./keyring-file.ts";
import { newKey, unwrapKey, unwrapMaster, wrapKey, wrapMaster } from "./wrapping.ts";

/** How long a change waits for another process's: it takes milliseconds. */
const LOCK_TIMEOUT_MS = 10_000;

/** A keyring file that is open. */
export interface Keyring extends ClientKeys {
  /** Clients with a key, and those whose key was destroyed. */
  list(): { readonly clients: readonly string[]; readonly destroyed: readonly string[] };
  /** Writes a copy, under another passphrase or none; what was destroyed stays so. */
  copyTo(path: string, passphrase: string | undefined): void;
}

/**
 * Makes a keyring: a file of its own, apart from every history, that holds one random key for each client.
 *
 * Who copies or backs up a history without it copies nothing that can be read once a client's key is destroyed. Of the keyring
 * itself keep copies only as long as nobody has to be forgotten, or under passphrases that are forgotten with them.
 *
 * @param passphrase - the keys are encrypted under it; without one only the file's mode (0600) protects them
 * @throws LETHE_USAGE_KEYRING_EXISTS, LETHE_TRANSIENT_WRITE
 */
export function createKeyring(path: string, passphrase: string | undefined): Keyring {
  const release = lockForWriting(path, LOCK_TIMEOUT_MS);
  try {
    if (existsSync(path)) {
      throw new LetheError("usage", "USAGE_KEYRING_EXISTS", `Expected no keyring at ${path}, got one.`, {
        details: { path },
      });
    }
    writeKeyringFile(path, { wrapping: wrapMaster(newKey(), passphrase), keys: [], destroyed: [] });
  } finally {
    release();
  }
  return openKeyring(path, passphrase);
}

/**
 * Opens a keyring. Changes are on disk when a call returns, and processes that share it see each other's.
 *
 * @throws LETHE_DATA_KEYRING, LETHE_USAGE_PASSPHRASE, LETHE_INTEGRITY_PASSPHRASE
 */
export function openKeyring(path: string, passphrase: string | undefined): Keyring {
  let content = readKeyringFile(path);
  let master = unwrapMaster(content.wrapping, passphrase, path);
  const keys = new Map<string, Uint8Array>();

  const reload = (): void => {
    const next = readKeyringFile(path);
    // The master key changes with the passphrase.
    if (next.wrapping.master !== content.wrapping.master)
      master = unwrapMaster(next.wrapping, passphrase, path);
    content = next;
    for (const client of content.destroyed) keys.delete(client);
  };
  const change = (next: (content: KeyringContent) => KeyringContent): void => {
    const release = lockForWriting(path, LOCK_TIMEOUT_MS);
    try {
      reload();
      const changed = next(content);
      if (changed !== content) writeKeyringFile(path, changed);
      content = changed;
    } finally {
      release();
    }
  };
  const wrapped = (client: string): string | undefined => content.keys.find(([name]) => name === client)?.[1];
  const keyOf = (client: string): Uint8Array | undefined => {
    const text = wrapped(client);
    if (text === undefined) return undefined;
    const key = unwrapKey(master, client, text);
    if (key) return key;
    throw new LetheError(
      "integrity",
      "INTEGRITY_KEYRING",
      `Expected a readable key of client "${client}" in ${path}, got a damaged one. Restore a copy of the keyring.`,
      { details: { path, client } },
    );
  };

  const find: Keyring["find"] = (client) => {
    const key = keys.get(client);
    if (key) return key;
    // Another process may have made it since.
    if (wrapped(client) === undefined) reload();
    const found = keyOf(client);
    if (found) keys.set(client, found);
    return found;
  };
  return {
    find,
    isDestroyed: (client) => content.destroyed.includes(client),
    ensure(clients) {
      if (clients.every((client) => keys.has(client))) return;
      change((now) => {
        const gone = clients.find((client) => now.destroyed.includes(client));
        if (gone !== undefined) {
          throw new LetheError(
            "usage",
            "USAGE_CLIENT_ERASED",
            `Expected clients whose keys were not destroyed, got "${gone}". Leave it out, or give it a new name.`,
            { details: { client: gone } },
          );
        }
        const there = new Set(now.keys.map(([client]) => client));
        const missing = clients.filter((client) => !there.has(client));
        if (missing.length === 0) return now;
        const added = missing.map((client): [string, string] => [client, wrapKey(master, client, newKey())]);
        return { ...now, keys: [...now.keys, ...added] };
      });
      for (const client of clients) find(client);
    },
    destroy(client) {
      keys.get(client)?.fill(0);
      keys.delete(client);
      change((now) => {
        if (now.destroyed.includes(client)) return now;
        const rest = now.keys.filter(([name]) => name !== client);
        return { ...now, keys: rest, destroyed: [...now.destroyed, client] };
      });
    },
    list: () => ({ clients: content.keys.map(([client]) => client), destroyed: content.destroyed }),
    copyTo(target, next) {
      reload();
      const other = newKey();
      const all = content.keys.map(([client]): [string, string] => {
        return [client, wrapKey(other, client, keyOf(client) as Uint8Array)];
      });
      const copy = { ...content, wrapping: wrapMaster(other, next), keys: all };
      const release = lockForWriting(target, LOCK_TIMEOUT_MS);
      try {
        writeKeyringFile(target, copy);
      } finally {
        release();
      }
    },
  };
}
