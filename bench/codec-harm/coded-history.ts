import type { Contribution } from "../../src/federation/rounds.ts";
import type { HistoryReader } from "../../src/federation/unlearning/history-reader.ts";
import { storedHistory } from "../../src/federation/unlearning/stored-history.ts";
import { type CodecConfigInput, codecConfigSchema } from "../../src/history/config.ts";
import { encodeRound, unrecordedRound } from "../../src/history/encode-round.ts";
import type { RoundEntries } from "../../src/history/entry.ts";
import { advanceError, REMOVAL_ERROR, removalTerms } from "../../src/history/removal-error.ts";
import { sumsAlpha } from "../../src/history/retention.ts";
import { unpackMean } from "../../src/history/running-mean.ts";
import type { HistoryHeader } from "../../src/history/store.ts";
import { createWorkspace } from "../../src/history/workspace.ts";
import { keyFromSeed } from "../../src/kernel/key.ts";
import type { ModelLayout } from "../../src/kernel/layout.ts";

/** A history in memory, and what it would take on disk without the store's own rows. */
export interface CodedHistory {
  readonly history: HistoryReader & AsyncDisposable;
  /** Of all records, or of all sums where there are no records. */
  readonly bytes: number;
}

/**
 * Codes the exact updates of a finished training as a store would have while it ran: the same records, to the byte.
 *
 * @param keeps - which rounds are stored at all; all when left out
 */
export async function codedHistory(
  layout: ModelLayout,
  initialWeights: Float32Array,
  contributions: readonly (readonly Contribution[])[],
  input: CodecConfigInput,
  keeps: (round: number) => boolean = () => true,
): Promise<CodedHistory> {
  const codec = codecConfigSchema.parse(input);
  const header: HistoryHeader = { layout, codec, key: keyFromSeed(1), facts: null, initialWeights };
  const workspace = createWorkspace();
  const records = new Map<string, Map<number, Uint8Array>>();
  const residuals = new Map<string, Uint8Array>();
  const sums = new Map<string, Uint8Array>();
  const alpha = codec.retention && sumsAlpha(codec.retention);
  const rounds: RoundEntries[] = [];
  let recordBytes = 0;
  for (const [round, participants] of contributions.entries()) {
    if (alpha !== undefined) {
      const term = removalTerms(participants);
      participants.forEach(({ client }, at) => {
        const scratch = new Float32Array(layout.length);
        term(at, scratch);
        sums.set(client, advanceError(sums.get(client), alpha, scratch));
      });
    }
    if (alpha !== undefined || !keeps(round)) {
      rounds.push(unrecordedRound(round, participants));
      continue;
    }
    const encoded = encodeRound(
      round,
      participants,
      header,
      codec,
      {
        last(client) {
          const last = [...(records.get(client) ?? [])].at(-1);
          return last && { round: last[0], bytes: last[1] };
        },
        find: (at, client) => records.get(client)?.get(at),
        residual: (client) => residuals.get(client),
      },
      workspace,
    );
    recordBytes += encoded.mean?.length ?? 0;
    for (const { client, record } of encoded.entries) {
      if (record === undefined) continue;
      recordBytes += record.length;
      records.set(client, (records.get(client) ?? new Map()).set(round, record));
    }
    for (const [client, residual] of encoded.residuals) residuals.set(client, residual);
    rounds.push(encoded);
  }
  const clients = [...new Set(contributions.flatMap((round) => round.map(({ client }) => client)))];
  const history = await storedHistory(
    {
      header,
      rounds: async () => rounds.map(({ round }) => ({ round, metadata: null, digest: "sha256:" as never })),
      clients: async () => clients.map((client) => ({ client, erased: false })),
      async *readEntries() {
        for (const round of rounds) yield { ...round, metadata: null };
      },
      async auxiliary(client, name) {
        const sum = name === REMOVAL_ERROR ? sums.get(client) : undefined;
        return sum && { mean: unpackMean(sum), count: contributions.length };
      },
    },
    { workers: 0 },
  );
  const sumBytes = [...sums.values()].reduce((total, { length }) => total + length, 0);
  return { history, bytes: alpha === undefined ? recordBytes : sumBytes };
}
