import { MEAN } from "../../history/encode-round.ts";
import { quantiserByWireId } from "../../history/quantisers/index.ts";
import { readRecord } from "../../history/record.ts";
import type { HistoryHeader, StorageReport } from "../../history/store.ts";
import type { Digest } from "../../kernel/digest.ts";
import type { ClientKeys } from "../encryption/client-keys.ts";
import {
  readEntryRows,
  readHeader,
  readNames,
  readRepairs,
  readRoundRows,
  readState,
} from "./history-rows.ts";
import { reportStorage } from "./history-storage.ts";
import { withReadOnly } from "./transfer-history.ts";
import { isReachable, RECORD, vaultOf } from "./vault.ts";

function quantiserOf(record: Uint8Array, round: number, client: string): string {
  const { quantiser } = readRecord(record, { round, client }).stages;
  return quantiserByWireId(quantiser)?.id ?? `unknown ${quantiser}`;
}

/** Records and their bytes. */
export interface RecordCount {
  readonly records: number;
  readonly bytes: number;
}

/** What a history holds, without decoding it. */
export interface HistorySummary {
  readonly header: HistoryHeader;
  readonly genesis: Digest;
  readonly head: Digest;
  readonly rounds: readonly ({ readonly round: number; readonly digest: Digest } & RecordCount)[];
  /** In order of appearance. */
  readonly clients: readonly ({ readonly client: string; readonly entries: number } & RecordCount)[];
  /** By the quantiser that the records name; `encrypted` for those without a key at hand. */
  readonly codecs: Readonly<Record<string, RecordCount>>;
  /** Round of the weights that are kept, undefined before the first and after a repair that lost them. */
  readonly stateRound: number | undefined;
  readonly repairs: readonly { readonly part: string; readonly note: string }[];
  readonly storage: StorageReport;
}

/**
 * Counts records and bytes by round, client and codec; every record's checksum is checked on the way.
 *
 * @throws LETHE_DATA_NOT_A_HISTORY, LETHE_INTEGRITY_RECORD
 */
export function inspectHistory(path: string, keys?: ClientKeys): HistorySummary {
  return withReadOnly(path, (database) => {
    const { header, digest: genesis } = readHeader(database);
    const vault = vaultOf(header.codec, genesis, keys);
    const names = readNames(database);
    const clients = new Map(
      Array.from(names.values(), (client) => [client, { client, entries: 0, ...NOTHING }]),
    );
    const codecs: Record<string, RecordCount> = {};
    const rounds = Array.from(readRoundRows(database, {}), ({ round, digest, mean }) => {
      let ofRound: RecordCount = NOTHING;
      const count = (client: string, record: Uint8Array): void => {
        const id = isReachable(vault, client, record)
          ? quantiserOf(client === MEAN ? record : vault.open(client, RECORD, round, record), round, client)
          : "encrypted";
        codecs[id] = added(codecs[id] ?? NOTHING, record);
        ofRound = added(ofRound, record);
      };
      if (mean) count(MEAN, mean);
      for (const { entry } of readEntryRows(database, round, names)) {
        const { client, record } = entry;
        const known = clients.get(client) ?? { client, entries: 0, ...NOTHING };
        clients.set(client, {
          ...known,
          ...(record ? added(known, record) : {}),
          entries: known.entries + 1,
        });
        if (record) count(client, record);
      }
      return { round, digest, ...ofRound };
    });
    return {
      header,
      genesis,
      head: rounds.at(-1)?.digest ?? genesis,
      rounds,
      clients: [...clients.values()],
      codecs,
      stateRound: readState(database)?.round,
      repairs: readRepairs(database),
      storage: reportStorage(database, path, header, vault),
    };
  });
}

const NOTHING: RecordCount = { records: 0, bytes: 0 };

function added({ records, bytes }: RecordCount, record: Uint8Array): RecordCount {
  return { records: records + 1, bytes: bytes + record.length };
}
