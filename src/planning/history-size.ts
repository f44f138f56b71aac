import { halfBlockBytes } from "../history/half-blocks.ts";
import { type Retention, sumsAlpha, windowOf } from "../history/retention.ts";

/** How large a training's history will be asked about. */
export interface TrainingSize {
  /** T. */
  readonly rounds: number;
  /** N. */
  readonly clients: number;
  /** Updates in a round; N when left out. */
  readonly updatesPerRound?: number;
  /** Parameters and buffers of the model. */
  readonly parameters: number;
}

/** SQLite's pages here, and what of an overflow page is content. */
const PAGE_BYTES = 512;
const OVERFLOW_BYTES = PAGE_BYTES - 4;
/** SQLite keeps the largest tail of a row in its leaf that makes the overflow pages full, between these bounds. */
const LEAST_LOCAL = 39;
const MOST_LOCAL = 477;
/** What a leaf page has for cells, each with two bytes of pointer. */
const LEAF_BYTES = PAGE_BYTES - 8;
/** Length, row number and place of a cell, and where its overflow begins. */
const CELL_BYTES = 8;
const POINTER_BYTES = 4;
/** Types and the other columns of an entry with a record. */
const ENTRY_BYTES = 12;
/** A row of an entry without record and without digest, and of one that kept its digest. */
const EMPTY_ENTRY_BYTES = 9;
const DIGEST_BYTES = 71;
/** A round's row: digests of the round, of the weights and of the checkpoint, and its metadata. */
const ROUND_BYTES = 240;
/** Schema, header, empty tables: measured. */
const FIXED_BYTES = 8_000;
/** A client's row and its entry in the index of names. */
const CLIENT_BYTES = 30;
/** Rate control keeps a record within this share of its target; sizes between are as likely as others. */
const RATE_SPREAD = 0.02;
/** Sizes tried across the spread. */
const SIZES = 64;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * Predicts the bytes of a history on disk after training, initial and final weights included, by the arithmetic of SQLite's
 * pages. Not counted: vectors that the caller has averaged, and a checkpoint larger than a few hundred bytes.
 *
 * @param bitsPerParameter - of a record, envelope included
 */
export function predictHistoryBytes(
  size: TrainingSize,
  retention: Retention,
  bitsPerParameter: number,
): number {
  const { rounds, clients, updatesPerRound = clients, parameters } = size;
  const recorded = Math.min(rounds, windowOf(retention));
  const isWindowed = windowOf(retention) > 0 && recorded < rounds;
  const emptyBytes = EMPTY_ENTRY_BYTES + (isWindowed ? DIGEST_BYTES : 0);
  const weights = 2 * rowBytes(4 * parameters);
  const sums =
    sumsAlpha(retention) === undefined ? 0 : clients * rowBytes(halfBlockBytes(parameters) + DIGEST_BYTES);
  return (
    FIXED_BYTES +
    clients * CLIENT_BYTES +
    weights +
    sums +
    rounds * rowBytes(ROUND_BYTES) +
    recorded * updatesPerRound * recordBytesOnDisk((bitsPerParameter * parameters) / 8) +
    (rounds - recorded) * updatesPerRound * rowBytes(emptyBytes)
  );
}

/** Rates to choose among, in bits a parameter. */
interface RateBounds {
  readonly least: number;
  readonly most: number;
}

/**
 * The rate at which a history fills a budget, by {@link predictHistoryBytes}.
 *
 * @returns bits a parameter within the bounds; undefined where even the least does not fit
 */
export function rateForBudget(
  size: TrainingSize,
  retention: Retention,
  budgetBytes: number,
  bounds: RateBounds,
): number | undefined {
  const bytesAt = (bits: number): number => predictHistoryBytes(size, retention, bits);
  return bytesAt(bounds.least) > budgetBytes ? undefined : largestRate(bytesAt, budgetBytes, bounds);
}

/**
 * The rate at which the rounds to come of a full history fill what is left of a budget.
 *
 * @param rest - its `rounds` are those to come
 * @param isFirst - before the first round, when the final weights and the clients are still to be written
 * @returns bits a parameter within the bounds, the least where nothing fits
 */
export function rateForRest(
  rest: TrainingSize,
  isFirst: boolean,
  bytesLeft: number,
  bounds: RateBounds,
): number {
  const { rounds, clients, updatesPerRound = clients, parameters } = rest;
  const once = isFirst ? rowBytes(4 * parameters) + clients * CLIENT_BYTES : 0;
  const bytesAt = (bits: number): number =>
    once + rounds * (rowBytes(ROUND_BYTES) + updatesPerRound * recordBytesOnDisk((bits * parameters) / 8));
  return largestRate(bytesAt, bytesLeft, bounds);
}

/** By bisection, to a thousandth of the rate: finer than rate control. */
function largestRate(bytesAt: (bits: number) => number, limit: number, { least, most }: RateBounds): number {
  if (bytesAt(most) <= limit) return most;
  let [low, high] = [least, most];
  while (high - low > 1e-3 * low) {
    const middle = (low + high) / 2;
    if (bytesAt(middle) <= limit) low = middle;
    else high = middle;
  }
  return low;
}

/** What a record of about so many bytes takes on disk, on average over sizes near it. */
function recordBytesOnDisk(bytes: number): number {
  const sizes = Array.from({ length: SIZES }, (_, at) => {
    // Multiples of the golden ratio: evenly spread, and neighbours differ as those of a history do.
    const share = 2 * ((at * GOLDEN) % 1) - 1;
    return Math.round(bytes * (1 + RATE_SPREAD * share)) + ENTRY_BYTES;
  });
  return bytesOfRows(sizes) / SIZES;
}

/** Rows that follow each other: full overflow pages, and leaves that are filled one after the other. */
function bytesOfRows(payloads: readonly number[]): number {
  let pages = 0;
  let left = 0;
  for (const payload of payloads) {
    const local = payload <= MOST_LOCAL ? payload : localPart(payload);
    const overflow = Math.ceil((payload - local) / OVERFLOW_BYTES);
    const cell = local + CELL_BYTES + (overflow > 0 ? POINTER_BYTES : 0);
    pages += overflow;
    if (cell > left) {
      // Pages of the levels above hold about forty children.
      pages += 1 + 1 / 40;
      left = LEAF_BYTES;
    }
    left -= cell;
  }
  // The last leaf counts as far as it is filled.
  return PAGE_BYTES * (pages - left / LEAF_BYTES);
}

function localPart(payload: number): number {
  const fitting = LEAST_LOCAL + ((payload - LEAST_LOCAL) % OVERFLOW_BYTES);
  return fitting <= MOST_LOCAL ? fitting : LEAST_LOCAL;
}

/** Many rows of one size, each. */
function rowBytes(payload: number): number {
  const rows = Math.max(1, Math.floor(LEAF_BYTES / (payload + CELL_BYTES)));
  return bytesOfRows(Array<number>(rows).fill(payload)) / rows;
}
