import type { Retention } from "../../history/retention.ts";
import type { ClientId } from "../../kernel/client-id.ts";

/** One client's update as the server aggregated it: after boosts and clipping, before server momentum and server rate. */
export interface RecordedUpdate {
  readonly client: ClientId;
  /** p_u: its share in the round's mean. Over all who took part, recorded or not, the shares add up to 1. */
  readonly weight: number;
  /** h_t^u = w_t^u − w_t, decoded, in the order of the model's layout. Valid until the next round is asked for. */
  readonly update: Float32Array;
  /**
   * σ² of the quantiser's error per element, one number for each slot of the layout; left out when the record is exact.
   * The error is taken to be of mean zero and independent between records.
   */
  readonly errorVariance?: ArrayLike<number>;
}

/** One round of training as the history kept it. */
export interface HistoryRound {
  /** From 0, without gaps. */
  readonly round: number;
  readonly participants: readonly RecordedUpdate[];
  /** Who took part without being recorded (user sampling, κ < 1). */
  readonly unrecorded?: readonly { readonly client: ClientId; readonly weight: number }[];
}

/** What a history keeps of each client in constant memory. */
export interface HistorySums {
  /** α, the skew that they were made for. */
  readonly alpha: number;
  /**
   * e_T of the leavers together: Σ_t (1 + α)^{T−1−t} d_t, in the layout's order.
   *
   * @throws LETHE_USAGE_MODE for leavers whose shares change from round to round, LETHE_DATA_UNKNOWN_CLIENT
   */
  errorOf(leavers: readonly ClientId[]): Promise<{
    readonly error: Float64Array;
    readonly correctedRounds: number;
    readonly keptClients: number;
  }>;
}

/** Which part of a history to decode; everything when left out. */
export interface HistorySelection {
  /** Rounds to yield. */
  readonly wants?: (round: number) => boolean;
  /** Clients to decode; `participants` then holds only those. */
  readonly clients?: ReadonlySet<ClientId>;
}

/**
 * A stored history as a stream of decoded rounds, in order. Every call of `read` is a stream of its own with its own
 * arrays, which it may reuse from round to round: at most two rounds are in memory for each open stream, the one that was
 * yielded and the one that is being decoded meanwhile.
 */
export interface HistoryReader {
  /** T, the number of rounds. */
  readonly rounds: number;
  /** What was kept of them; everything when left out. */
  readonly retention?: Retention;
  /** Sums over all rounds, where the history keeps them. */
  readonly sums?: HistorySums | undefined;
  read(selection?: HistorySelection): AsyncIterable<HistoryRound> | Iterable<HistoryRound>;
}
