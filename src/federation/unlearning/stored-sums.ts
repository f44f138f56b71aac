import { leaverFactors, REMOVAL_ERROR } from "../../history/removal-error.ts";
import { FULL, sumsAlpha } from "../../history/retention.ts";
import type { HistoryReader } from "../../history/store.ts";
import type { ClientId } from "../../kernel/client-id.ts";
import { LetheError } from "../../kernel/errors.ts";
import type { HistorySums } from "./history-reader.ts";

/** What is read of a store. */
type Store = Pick<HistoryReader, "header" | "readEntries" | "auxiliary">;

/** The sums that a store keeps beside or instead of records; undefined where it keeps none. */
export function storedSums(store: Store): HistorySums | undefined {
  const alpha = sumsAlpha(store.header.codec.retention ?? FULL);
  if (alpha === undefined) return undefined;
  return {
    alpha,
    async errorOf(leavers) {
      const rounds = await sharesOf(store);
      const factors = leaverFactors(rounds, leavers);
      const error = new Float64Array(store.header.layout.length);
      for (const leaver of leavers) {
        const factor = factors.get(leaver);
        const sum = await store.auxiliary(leaver, REMOVAL_ERROR);
        if (factor === undefined || sum === undefined) throw unknownClient(leaver);
        for (let i = 0; i < error.length; i++) {
          error[i] = (error[i] as number) + factor * (sum.mean[i] as number);
        }
      }
      const clients = new Set(rounds.flatMap((shares) => [...shares.keys()]));
      return {
        error,
        correctedRounds: rounds.filter((shares) => leavers.some((leaver) => shares.has(leaver))).length,
        keptClients: clients.size - leavers.length,
      };
    },
  };
}

/** The shares of those who took part, round by round. */
async function sharesOf(store: Store): Promise<readonly ReadonlyMap<string, number>[]> {
  const rounds: ReadonlyMap<string, number>[] = [];
  for await (const { entries } of store.readEntries()) {
    const present = entries.filter(({ status }) => status !== "absent" && status !== "erased");
    const total = present.reduce((sum, { weight }) => sum + weight, 0);
    rounds.push(new Map(present.map(({ client, weight }) => [client, weight / total])));
  }
  return rounds;
}

function unknownClient(client: ClientId): LetheError {
  return new LetheError(
    "data",
    "DATA_UNKNOWN_CLIENT",
    `Expected a client to forget that took part in training, got ${client}, of whom the history keeps no sum. Check the name.`,
    { details: { clients: client } },
  );
}
