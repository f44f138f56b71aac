import type { DatabaseSync } from "node:sqlite";
import { type EncodedRound, unrecordedRound } from "../../history/encode-round.ts";
import { FULL, sumsAlpha, windowOf } from "../../history/retention.ts";
import type { HistoryReader, RoundInput, RoundOrder, RoundWriter } from "../../history/store.ts";
import { LetheError } from "../../kernel/errors.ts";
import type { CodedUpdate, RecordEncoding } from "../encoding/record-encoding.ts";
import { checkNotErased, checkRoundNumber, checkWeights } from "./check-round.ts";
import { guarded } from "./database.ts";
import { earlierRecords } from "./earlier-records.ts";
import { storeRound } from "./store-round.ts";
import type { Vault } from "./vault.ts";

/** A round that is being written; the next one may begin when it has ended, in whatever way. */
export interface OpenRound extends RoundWriter {
  readonly ended: Promise<void>;
}

/**
 * Begins a round. Where each update can be coded by itself it is coded as it comes and only its record is kept; where rounds are
 * coded as a whole (shares drawn, differences to the mean, sums) the updates are held until the end.
 *
 * @throws LETHE_USAGE_ROUND_ORDER, LETHE_USAGE_CLIENT_ERASED
 */
export function beginRound(
  database: DatabaseSync,
  path: string,
  reader: Pick<HistoryReader, "header" | "genesis">,
  vault: Vault,
  encoding: RecordEncoding,
  { round, rate, clients = [] }: RoundOrder,
): OpenRound {
  checkRoundNumber(database, round);
  checkNotErased(database, round, clients);
  vault.prepare(clients);
  const { header } = reader;
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const earlier = earlierRecords(database, vault);
  const isStreamed = codesOneByOne(header.codec);
  const participants: RoundInput["participants"][number][] = [];
  const coded: Promise<CodedUpdate>[] = [];
  let isOpen = true;

  return {
    ended,
    async add(participant) {
      requireOpen(isOpen, round);
      const { client, weight, update, auxiliary } = participant;
      guarded(path, () => {
        checkNotErased(database, round, [client]);
        vault.prepare([client]);
      });
      if (!isStreamed) {
        participants.push(participant);
        return;
      }
      // Of the update no more is needed than whether there was one.
      participants.push({
        client,
        weight,
        update: update && NOTHING,
        ...(auxiliary === undefined ? {} : { auxiliary }),
      });
      await encoding.room();
      const one = encoding.encode({ round, participant: { client, weight, update }, rate, earlier });
      // It may fail before anybody waits for it, and is waited for at the end.
      one.catch(() => {});
      coded.push(one);
    },
    async finish({ weights, metadata, checkpoint }) {
      requireOpen(isOpen, round);
      isOpen = false;
      try {
        checkWeights(round, weights, header.layout.length);
        const input = {
          round,
          participants,
          weights,
          rate,
          ...(metadata === undefined ? {} : { metadata }),
          ...(checkpoint === undefined ? {} : { checkpoint }),
        };
        const encoded = isStreamed ? joined(round, participants, await Promise.all(coded)) : whole(input);
        return guarded(path, () => storeRound(database, path, reader, vault, input, encoded));
      } finally {
        end();
      }
    },
    abandon() {
      isOpen = false;
      end();
    },
  };

  function whole(input: RoundInput): EncodedRound {
    if (windowOf(header.codec.retention ?? FULL) > 0)
      return encoding.encodeRound({ round, participants: input.participants, rate, earlier });
    return { ...unrecordedRound(round, input.participants), residuals: new Map() };
  }
}

const NOTHING = new Float32Array(0);

/** Whether a record depends on its own update, and on no other of the round. */
function codesOneByOne({
  threshold,
  storedClientFraction,
  retention = FULL,
}: HistoryReader["header"]["codec"]): boolean {
  const leansOnRound = threshold.mode === "mean" || threshold.mode === "element";
  return (
    !leansOnRound &&
    storedClientFraction === 1 &&
    windowOf(retention) > 0 &&
    sumsAlpha(retention) === undefined
  );
}

function joined(
  round: number,
  participants: RoundInput["participants"],
  updates: readonly CodedUpdate[],
): EncodedRound {
  // Names and weights are checked over the whole round, as where it is coded at once.
  unrecordedRound(round, participants);
  return {
    round,
    entries: updates.map(({ entry }) => entry),
    mean: undefined,
    residuals: new Map(
      updates.flatMap(({ entry, residual }) => (residual ? [[entry.client, residual] as const] : [])),
    ),
  };
}

function requireOpen(isOpen: boolean, round: number): void {
  if (isOpen) return;
  throw new LetheError(
    "usage",
    "USAGE_ROUND_ENDED",
    `Expected round ${round} to be open, but it has ended.`,
    {
      details: { round },
    },
  );
}
