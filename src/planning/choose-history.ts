import {
  type HistoryOperation,
  historyOperations,
  operationsOf,
  type Retention,
} from "../history/retention.ts";
import { LetheError } from "../kernel/errors.ts";
import { predictHistoryBytes, rateForBudget, type TrainingSize } from "./history-size.ts";

/** Below this the default rule loses accuracy to the noise of the records on every model measured (decision 0025). */
const LEAST_BITS = 1;
/** Above this no result we know improves. */
const MOST_BITS = 8;
/** Rate of the records of a window: that of the demonstrations. */
const WINDOW_BITS = 1.2;
/** A record without quantisation, envelope included. */
const EXACT_BITS = 32.1;

/** A mode, a codec and a rate for a training that has not begun. */
export interface HistoryPlan {
  readonly retention: Retention;
  /** Undefined where no records are kept. */
  readonly codec: { readonly quantiser: "none" | "tcq8"; readonly bitsPerParameter: number } | undefined;
  /** On disk after the last round, weights included. */
  readonly predictedBytes: number;
  /** What stays possible, and why the rest does not. */
  readonly operations: Readonly<Record<HistoryOperation, true | string>>;
}

/**
 * Chooses the history that leaves most possible within a budget: all rounds at the best rate that fits, else sums with the
 * longest window that fits, else a window alone, else sums alone.
 *
 * @param budgetBytes - on disk after the last round
 * @param wants - operations that have to stay possible
 * @param alpha - α of sums, should it come to them
 * @throws LETHE_USAGE_BUDGET with the least bytes that would do
 */
export function chooseHistory(
  size: TrainingSize,
  budgetBytes: number,
  wants: readonly HistoryOperation[],
  alpha: number,
): HistoryPlan {
  const able = (mode: Retention["mode"]): boolean => wants.every((want) => operationsOf[mode][want] === true);
  const planOf = (retention: Retention, bitsPerParameter: number, hasRecords = true): HistoryPlan => ({
    retention,
    codec: hasRecords ? codecFor(bitsPerParameter) : undefined,
    predictedBytes: Math.round(predictHistoryBytes(size, retention, bitsPerParameter)),
    operations: operationsOf[retention.mode],
  });
  const full: Retention = { mode: "full" };
  if (predictHistoryBytes(size, full, EXACT_BITS) <= budgetBytes) return planOf(full, EXACT_BITS);
  const bits = rateForBudget(size, full, budgetBytes, { least: LEAST_BITS, most: MOST_BITS });
  if (bits !== undefined) return planOf(full, bits);
  const windows: readonly ((rounds: number) => Retention)[] = [
    (rounds) => ({ mode: "hybrid", rounds, alpha }),
    (rounds) => ({ mode: "window", rounds }),
  ];
  for (const retentionOf of windows) {
    if (!able(retentionOf(1).mode)) continue;
    const rounds = longestWindow(size, retentionOf, budgetBytes);
    if (rounds > 0) return planOf(retentionOf(rounds), WINDOW_BITS);
  }
  const sums: Retention = { mode: "accumulator", alpha };
  if (able("accumulator") && predictHistoryBytes(size, sums, 0) <= budgetBytes) return planOf(sums, 0, false);
  throw tooSmall(
    size,
    budgetBytes,
    wants,
    [full, ...windows.map((of) => of(1)), sums].filter(({ mode }) => able(mode)),
  );
}

function codecFor(bitsPerParameter: number): NonNullable<HistoryPlan["codec"]> {
  if (bitsPerParameter === EXACT_BITS) return { quantiser: "none", bitsPerParameter };
  return { quantiser: "tcq8", bitsPerParameter };
}

/** Rounds of the longest window that fits, 0 where none does. */
function longestWindow(
  size: TrainingSize,
  retentionOf: (rounds: number) => Retention,
  budgetBytes: number,
): number {
  const fits = (rounds: number) => predictHistoryBytes(size, retentionOf(rounds), WINDOW_BITS) <= budgetBytes;
  let [low, high] = [0, size.rounds];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function tooSmall(
  size: TrainingSize,
  budgetBytes: number,
  wants: readonly HistoryOperation[],
  able: readonly Retention[],
): LetheError {
  const needs = able.map((retention) => {
    const bits = retention.mode === "full" ? LEAST_BITS : WINDOW_BITS;
    return { mode: retention.mode, bytes: Math.ceil(predictHistoryBytes(size, retention, bits)) };
  });
  const least = needs.reduce((a, b) => (b.bytes < a.bytes ? b : a));
  const what = wants.map((want) => historyOperations[want]).join("; ") || "any unlearning";
  return new LetheError(
    "usage",
    "USAGE_BUDGET",
    `Expected a budget of at least ${least.bytes} bytes (mode \`${least.mode}\`) for a history that can: ${what}; got ${budgetBytes}.`,
    { details: { budgetBytes, leastBytes: least.bytes, mode: least.mode } },
  );
}
