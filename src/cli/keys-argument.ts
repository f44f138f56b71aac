import { existsSync, readFileSync } from "node:fs";
import type { Command } from "commander";
import { LetheError } from "../kernel/errors.ts";
import { createKeyring, type Keyring, openKeyring } from "../storage/encryption/keyring.ts";

/** Options of commands that open an encrypted history. */
export interface KeyOptions {
  readonly keys?: string;
  readonly passphraseFile?: string | undefined;
}

/** Adds `--keys` and `--passphrase-file` to a command. */
export function addKeyOptions(command: Command, purpose: string): Command {
  return command
    .option("--keys <file>", `keyring ${purpose}`)
    .option("--passphrase-file <file>", "what the keyring is encrypted under, in a file of its own");
}

/** The keyring that the options name, undefined where they name none. */
export function keyringOf(options: KeyOptions): Keyring | undefined {
  const { keys } = options;
  return keys === undefined ? undefined : openKeyring(keys, passphraseOf(options));
}

/** As {@link keyringOf}; a keyring that is not there is made. */
export function keyringForWriting(options: KeyOptions): Keyring | undefined {
  const { keys } = options;
  if (keys === undefined || existsSync(keys)) return keyringOf(options);
  return createKeyring(keys, passphraseOf(options));
}

/**
 * The passphrase in a file: its text without the newline at its end.
 *
 * @throws LETHE_USAGE_PASSPHRASE for a file that cannot be read or holds nothing
 */
export function passphraseOf({ passphraseFile }: Pick<KeyOptions, "passphraseFile">): string | undefined {
  if (passphraseFile === undefined) return undefined;
  let passphrase: string;
  try {
    passphrase = readFileSync(passphraseFile, "utf8").replace(/\r?\n$/, "");
  } catch (cause) {
    throw missing(passphraseFile, cause);
  }
  if (passphrase === "") throw missing(passphraseFile);
  return passphrase;
}

function missing(path: string, cause?: unknown): LetheError {
  return new LetheError(
    "usage",
    "USAGE_PASSPHRASE",
    `Expected a file with a passphrase at ${path}, got none or an empty one.`,
    {
      details: { path },
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
