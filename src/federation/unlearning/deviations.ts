import type { ClientId } from "../../kernel/client-id.ts";
import { LetheError, throwIfCancelled } from "../../kernel/errors.ts";
import type { Evidence, RequestWith } from "./contract.ts";
import type { HistoryRound, HistorySelection, RecordedUpdate } from "./history-reader.ts";
import { type NearestUpdate, nearestUpdate } from "./nearest-update.ts";

/**
 * What stands in for a leaver's update in a round that did not record it (user sampling): nothing (`skip`, removes too
 * little), nothing but recorded rounds weighted by 1/κ (`ipw`, unbiased and noisy), or the leaver's nearest recorded
 * update (`hold`).
 */
export type SamplingEstimator = "skip" | "ipw" | "hold";

/** One round seen from the kept clients. The arrays are valid until the next round. */
export interface RoundDeviation {
  readonly round: number;
  /** Kept clients that were recorded, their shares scaled to add up to 1. */
  readonly kept: readonly RecordedUpdate[];
  /** g_t = Σ_kept p̃_u h_t^u, in the layout's order. */
  readonly keptMean: Float32Array;
  /** d_t = h̄_t − g_t = Σ_leavers p_u (h_t^u − g_t); all zero when no leaver's part is known. */
  readonly deviation: Float32Array;
  /** Whether a leaver's part is in `deviation`. */
  readonly isCorrected: boolean;
}

/** A history cut in two: those who stay and what the leavers did to the mean. */
export interface Deviations {
  /**
   * Streams rounds in order.
   *
   * @throws LETHE_DATA_HISTORY for rounds that are missing or out of order, or updates of another length;
   * LETHE_DATA_UNKNOWN_CLIENT and LETHE_DATA_UNRECORDED_CLIENT after a pass over everything in which a leaver never took
   * part, or was never recorded; LETHE_NUMERIC_NOT_FINITE; LETHE_CANCELLED
   */
  pass(wants?: (round: number) => boolean): AsyncGenerator<RoundDeviation, void, void>;
  /** What was read so far; `correctedRounds` is that of the last pass. */
  evidence(): Omit<Evidence, "treatments">;
}

/** Opens a request's history for passes over deviations. O(model) memory besides the reader's own round. */
export function readDeviations(request: RequestWith<"history">, estimator: SamplingEstimator): Deviations {
  const { history, layout, signal } = request;
  const leavers = new Set(request.leavers);
  const keptClients = new Set<ClientId>();
  const keptMean = new Float32Array(layout.length);
  const deviation = new Float32Array(layout.length);
  let recordsRead = 0;
  let correctedRounds = 0;

  async function* pass(wants?: (round: number) => boolean): AsyncGenerator<RoundDeviation, void, void> {
    const substitutes = new Map<ClientId, NearestUpdate>();
    const missing = new Set(leavers);
    const unrecorded = new Set(leavers);
    const selection: HistorySelection = wants === undefined ? {} : { wants };
    let expected = nextWanted(0, wants);
    correctedRounds = 0;
    for await (const round of history.read(selection)) {
      throwIfCancelled(signal);
      checkRound(round, expected, layout.length);
      expected = nextWanted(expected + 1, wants);
      recordsRead += round.participants.length;
      for (const { client } of round.participants) unrecorded.delete(client);
      for (const { client } of [...round.participants, ...(round.unrecorded ?? [])]) missing.delete(client);

      const kept = normalised(round.participants.filter(({ client }) => !leavers.has(client)));
      for (const { client } of kept) keptClients.add(client);
      meanOf(kept, keptMean);
      const parts = await leaversOf(round, substitutes);
      deviation.fill(0);
      for (const { weight, update } of parts) addDifference(deviation, weight, update, keptMean);
      checkFinite(round, keptMean, deviation);
      if (parts.length > 0) correctedRounds++;
      yield { round: round.round, kept, keptMean, deviation, isCorrected: parts.length > 0 };
    }
    for (const substitute of substitutes.values()) recordsRead += substitute.recordsRead;
    if (expected < history.rounds) throw historyError(`round ${expected} of ${history.rounds}`, "the end");
    if (wants === undefined && missing.size > 0) throw unknownClient(missing);
    if (wants === undefined && unrecorded.size > 0) throw unrecordedClient(unrecorded);
  }

  /** The leavers' updates, recorded or stood in for, with the shares they count with. */
  async function leaversOf(
    round: HistoryRound,
    substitutes: Map<ClientId, NearestUpdate>,
  ): Promise<readonly Pick<RecordedUpdate, "weight" | "update">[]> {
    const { participants, unrecorded = [] } = round;
    const recorded = participants.filter(({ client }) => leavers.has(client));
    // Kept clients trained but none was recorded: g_t is unknown, so the round says nothing.
    if (recorded.length === participants.length && unrecorded.some(({ client }) => !leavers.has(client))) {
      return [];
    }
    if (estimator === "ipw") {
      const inverse = (participants.length + unrecorded.length) / participants.length;
      return recorded.map(({ weight, update }) => ({ weight: weight * inverse, update }));
    }
    if (estimator === "skip") return recorded;
    const parts: Pick<RecordedUpdate, "weight" | "update">[] = [...recorded];
    for (const { client, weight } of unrecorded) {
      if (!leavers.has(client)) continue;
      const substitute = substitutes.get(client) ?? nearestUpdate(history, client);
      substitutes.set(client, substitute);
      const update = await substitute.at(round.round);
      if (update !== undefined) parts.push({ weight, update });
    }
    return parts;
  }

  function nextWanted(from: number, wants: ((round: number) => boolean) | undefined): number {
    let round = from;
    while (wants !== undefined && round < history.rounds && !wants(round)) round++;
    return round;
  }

  return {
    pass,
    evidence: () => ({
      rounds: history.rounds,
      correctedRounds,
      recordsRead,
      keptClients: keptClients.size,
      leavers: leavers.size,
    }),
  };
}

function checkRound(round: HistoryRound, expected: number, length: number): void {
  if (round.round !== expected) throw historyError(`round ${expected}`, `round ${round.round}`);
  for (const { client, update } of round.participants) {
    if (update.length === length) continue;
    throw historyError(
      `${length} elements in an update`,
      `${update.length} from ${client}, round ${round.round}`,
    );
  }
}

function normalised(kept: readonly RecordedUpdate[]): readonly RecordedUpdate[] {
  const total = kept.reduce((sum, { weight }) => sum + weight, 0);
  return kept.map((participant) => ({ ...participant, weight: participant.weight / total }));
}

function meanOf(kept: readonly RecordedUpdate[], mean: Float32Array): void {
  mean.fill(0);
  for (const { weight, update } of kept) {
    for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] as number) + weight * (update[i] as number);
  }
}

function addDifference(sum: Float32Array, weight: number, update: Float32Array, mean: Float32Array): void {
  for (let i = 0; i < sum.length; i++) {
    sum[i] = (sum[i] as number) + weight * ((update[i] as number) - (mean[i] as number));
  }
}

/** One pass over the two sums finds what is not finite in any update; only then is the culprit looked for. */
function checkFinite(round: HistoryRound, keptMean: Float32Array, deviation: Float32Array): void {
  let sum = 0;
  for (let i = 0; i < keptMean.length; i++) sum += (keptMean[i] as number) - (deviation[i] as number);
  if (Number.isFinite(sum)) return;
  const culprit = round.participants.find(({ update }) => update.some((value) => !Number.isFinite(value)));
  throw new LetheError(
    "numeric",
    "NUMERIC_NOT_FINITE",
    `Expected finite updates, got NaN or an infinity in round ${round.round}` +
      `${culprit === undefined ? "" : ` from client ${culprit.client}`}. Remove the record or forget that client too.`,
    { details: { round: round.round, client: culprit?.client ?? "" } },
  );
}

function historyError(expected: string, got: string): LetheError {
  return new LetheError(
    "data",
    "DATA_HISTORY",
    `Expected ${expected} in the history, got ${got}. Rounds are numbered from 0 without gaps.`,
  );
}

function unknownClient(missing: ReadonlySet<ClientId>): LetheError {
  const names = [...missing].join(", ");
  return new LetheError(
    "data",
    "DATA_UNKNOWN_CLIENT",
    `Expected clients to forget that took part in training, got ${names}, which the history does not know: it left no trace to take ` +
      "out. Check the name.",
    { details: { clients: names } },
  );
}

function unrecordedClient(unrecorded: ReadonlySet<ClientId>): LetheError {
  const names = [...unrecorded].join(", ");
  return new LetheError(
    "data",
    "DATA_UNRECORDED_CLIENT",
    `Expected at least one recorded update of every client to forget, got none of ${names}: user sampling left it out of ` +
      "every round. Retrain instead.",
    { details: { clients: names } },
  );
}
