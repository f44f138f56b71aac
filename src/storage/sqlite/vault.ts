import type { CodecConfig } from "../../history/config.ts";
import type { RoundEntry } from "../../history/entry.ts";
import { isSealed } from "../../history/sealed-bytes.ts";
import { LetheError } from "../../kernel/errors.ts";
import type { ClientKeys } from "../encryption/client-keys.ts";
import { seal, unseal } from "../encryption/seal.ts";

/** Turns what is stored of clients into what is on disk, and back; the same bytes where a history is not encrypted. */
export interface Vault {
  /**
   * Makes what is needed to store these clients.
   *
   * @throws LETHE_USAGE_CLIENT_ERASED
   */
  prepare(clients: readonly string[]): void;
  /** Bytes for the disk. `counter`: the round of a record, the count of an auxiliary vector. */
  seal(client: string, part: string, counter: number, bytes: Uint8Array): Uint8Array;
  /**
   * Bytes from the disk.
   *
   * @throws LETHE_USAGE_KEYRING without keys, LETHE_INTEGRITY_SEAL with others
   */
  open(client: string, part: string, counter: number, bytes: Uint8Array): Uint8Array;
  /** Whether anything that is still stored of a client can be read: not without keys, and not once its key was destroyed. */
  reach(client: string): "open" | "locked" | "destroyed";
  /** Destroys the client's key. */
  destroy(client: string): void;
}

/** The part that is called so in {@link Vault.seal}. */
export const RECORD = "record";

/** The part that an auxiliary vector is called in {@link Vault.seal}. */
export function auxiliaryPart(name: string): string {
  return `auxiliary ${name}`;
}

/**
 * The vault of a history.
 *
 * @param genesis - digest of the header
 * @param keys - undefined for one who may look at everything but the clients' updates
 */
export function vaultOf(
  { encryption }: Pick<CodecConfig, "encryption">,
  genesis: string,
  keys: ClientKeys | undefined,
): Vault {
  return encryption === undefined ? PLAIN : encryptedVault(genesis, keys);
}

const PLAIN: Vault = {
  prepare() {},
  seal: (_client, _part, _counter, bytes) => bytes,
  open: (_client, _part, _counter, bytes) => bytes,
  reach: () => "open",
  destroy() {},
};

function encryptedVault(history: string, keys: ClientKeys | undefined): Vault {
  const need = (): ClientKeys => {
    if (keys) return keys;
    throw new LetheError(
      "usage",
      "USAGE_KEYRING",
      "Expected the keyring of this encrypted history, got none. Give it with --keys FILE.",
    );
  };
  const keyOf = (client: string): Uint8Array => {
    const key = need().find(client);
    if (key) return key;
    throw new LetheError(
      "integrity",
      "INTEGRITY_KEYRING",
      need().isDestroyed(client)
        ? `The key of client "${client}" was destroyed: nothing of it can be read again.`
        : `Expected a key of client "${client}" in the keyring, got none: it is another history's, or a copy from before the client came.`,
      { details: { client } },
    );
  };
  return {
    prepare: (clients) => need().ensure(clients),
    seal: (client, part, counter, bytes) => seal(keyOf(client), { history, client, part, counter }, bytes),
    open(client, part, counter, bytes) {
      return unseal(keyOf(client), { history, client, part, counter }, bytes);
    },
    reach(client) {
      if (keys === undefined) return "locked";
      return keys.isDestroyed(client) ? "destroyed" : "open";
    },
    destroy: (client) => need().destroy(client),
  };
}

/** An entry with its record decrypted; one whose client's key was destroyed is as good as erased. */
export function openedEntry(vault: Vault, round: number, entry: RoundEntry): RoundEntry {
  const { client, status, record } = entry;
  if (vault.reach(client) === "destroyed" && status !== "absent") {
    return { client, weight: 0, status: "erased", reference: undefined, record: undefined };
  }
  if (record === undefined) return entry;
  return { ...entry, record: vault.open(client, RECORD, round, record) };
}

/** Whether a record can be looked into: plain ones, and encrypted ones whose key is at hand. */
export function isReachable(vault: Vault, client: string, record: Uint8Array): boolean {
  return !isSealed(record) || vault.reach(client) === "open";
}
