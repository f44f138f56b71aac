/**
 * What the history knows of one client in one round.
 * - `stored`: a record was written.
 * - `held`: the client's last record stands for this update too (`temporal`); `reference` is its round.
 * - `average`: the round's mean stands for it (`mean`).
 * - `unsampled`: it took part, and nothing was stored (κ < 1).
 * - `absent`: it was asked and gave no update.
 * - `erased`: it was removed; nothing is left but a digest.
 * - `dropped`: it had a record, which left the window or was taken out by a repair; its weight and its digest stay.
 */
export type EntryStatus = "stored" | "held" | "average" | "unsampled" | "absent" | "erased" | "dropped";

/** One client in one round, undecoded: what a store keeps and a worker decodes. */
export interface RoundEntry {
  readonly client: string;
  /** Weight in the aggregate, as given; not normalised. 0 when erased. */
  readonly weight: number;
  readonly status: EntryStatus;
  /** Round whose record stands for this update, when `held`. */
  readonly reference: number | undefined;
  /** The record's bytes when `stored`. */
  readonly record: Uint8Array | undefined;
}

/** All that is stored of one round's updates. */
export interface RoundEntries {
  readonly round: number;
  readonly entries: readonly RoundEntry[];
  /** The round's mean update as a record, in the modes that code differences to it. */
  readonly mean: Uint8Array | undefined;
}

/** Finds the record of an earlier round, for entries that are `held` and records that were rotated. */
export type FindRecord = (round: number, client: string) => Uint8Array | undefined;
