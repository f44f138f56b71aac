import type { DatabaseSync } from "node:sqlite";
import type { Participant } from "../../history/encode-round.ts";
import { advanceError, REMOVAL_ERROR, removalTerms } from "../../history/removal-error.ts";
import { digestBytes } from "../../kernel/digest.ts";
import { first } from "./database.ts";
import { readNames } from "./history-rows.ts";
import { auxiliaryPart, type Vault } from "./vault.ts";

/**
 * Carries every client's removal error one round on, from the updates as they came and not as they were coded. To be called
 * in the transaction of a new round.
 *
 * @param alpha - α, the skew of the rule that will use the sums
 */
export function advanceErrors(
  database: DatabaseSync,
  participants: readonly Participant[],
  alpha: number,
  vault: Vault,
): void {
  const parts = participants.flatMap(({ client, weight, update }) =>
    update ? [{ client, weight, update }] : [],
  );
  const term = removalTerms(parts);
  const scratch = new Float32Array(parts[0]?.update.length ?? 0);
  for (const [ordinal, name] of readNames(database)) {
    const row = first<{ readonly count: number; readonly mean: Uint8Array }>(
      database,
      "SELECT count, mean FROM auxiliary WHERE client = ? AND name = ?",
      ordinal,
      REMOVAL_ERROR,
    );
    const at = parts.findIndex(({ client }) => client === name);
    if (at < 0 && !row) continue;
    // Nothing can be added to what nobody can read again.
    if (vault.reach(name) === "destroyed") continue;
    if (at >= 0) term(at, scratch);
    const part = auxiliaryPart(REMOVAL_ERROR);
    const before = row && vault.open(name, part, row.count, row.mean);
    const advanced = advanceError(before, alpha, at < 0 ? undefined : scratch);
    const count = (row?.count ?? 0) + (at < 0 ? 0 : 1);
    const error = vault.seal(name, part, count, advanced);
    database
      .prepare("INSERT OR REPLACE INTO auxiliary (client, name, count, mean, digest) VALUES (?, ?, ?, ?, ?)")
      .run(ordinal, REMOVAL_ERROR, count, error, digestBytes(error));
  }
}
