import { Command } from "commander";
import { openKeyring } from "../../storage/encryption/keyring.ts";
import { type CommonOptions, defineAction } from "../context.ts";
import { passphraseOf } from "../keys-argument.ts";

interface KeysOptions extends CommonOptions {
  readonly passphraseFile?: string;
  readonly copy?: string;
  readonly newPassphraseFile?: string;
}

/** `lethe history keys`: whose keys a keyring holds, and a copy of it under another passphrase. */
export function keysCommand(): Command {
  const command = new Command("keys")
    .description("List a keyring, or copy it under another passphrase.")
    .argument("<keyring>", "a keyring, as `lethe simulate --keys` makes it")
    .option("--passphrase-file <file>", "what the keyring is encrypted under, in a file of its own")
    .option("--copy <file>", "write a copy; the keyring itself to change its passphrase")
    .option("--new-passphrase-file <file>", "what the copy is encrypted under; nothing when left out");
  return defineAction<KeysOptions>(command, "out", async (options, _context, [path = ""]) => {
    const keyring = openKeyring(path, passphraseOf(options));
    const { copy } = options;
    if (copy !== undefined) keyring.copyTo(copy, passphraseOf({ passphraseFile: options.newPassphraseFile }));
    const { clients, destroyed } = keyring.list();
    return {
      json: { clients, destroyed, copy },
      text: [
        `keys       ${clients.length}${clients.length === 0 ? "" : `: ${clients.join(", ")}`}`,
        `destroyed  ${destroyed.length}${destroyed.length === 0 ? "" : `: ${destroyed.join(", ")}`}`,
        ...(copy === undefined ? [] : [`written    ${copy}`]),
      ],
    };
  });
}
