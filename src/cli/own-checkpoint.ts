import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { type Digest, digestJson } from "../kernel/digest.ts";
import { LetheError } from "../kernel/errors.ts";

/** The digest of what decides a run: checkpoints and prepared tensors carry it. Members without a value do not count. */
export function digestFacts(facts: unknown): Digest {
  return digestJson(z.json().parse(JSON.parse(JSON.stringify(facts))));
}

/**
 * Reads a checkpoint where there is one.
 *
 * @param recipe - {@link digestFacts} of the command
 * @throws LETHE_USAGE_CHECKPOINT for a checkpoint of another command, and what `decode` throws
 */
export function readOwnCheckpoint<Decoded extends { readonly recipe: string }>(
  path: string,
  recipe: Digest,
  decode: (bytes: Uint8Array, name: string) => Decoded,
): Decoded | undefined {
  if (!existsSync(path)) return undefined;
  const decoded = decode(readFileSync(path), path);
  if (decoded.recipe === recipe) return decoded;
  throw new LetheError(
    "usage",
    "USAGE_CHECKPOINT",
    `Expected ${path} to belong to this command, got one of other settings. Choose another --out, or delete it.`,
  );
}
