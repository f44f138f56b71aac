import { z } from "zod";
import { LetheError } from "../kernel/errors.ts";

/** Rounds whose records are kept. */
const rounds = z.int().min(1);
/** α of the rule that will use the sums; chosen before training, so without a default. */
const alpha = z.number().gt(-1).max(0);

/** What a history keeps of its rounds: its mode. */
export const retentionSchema = z.discriminatedUnion("mode", [
  /** A record of every update. */
  z.strictObject({ mode: z.literal("full") }),
  /** Records of the last rounds. */
  z.strictObject({ mode: z.literal("window"), rounds }),
  /** A sum for each client in half precision; no records, whatever the number of rounds. */
  z.strictObject({ mode: z.literal("accumulator"), alpha }),
  /** Sums for everything, and records of the last rounds. */
  z.strictObject({ mode: z.literal("hybrid"), rounds, alpha }),
]);

/** A mode with its settings. */
export type Retention = z.output<typeof retentionSchema>;

/** What is kept where a history does not say. */
export const FULL: Retention = { mode: "full" };

/** What may be wanted of a history after training, and what it means. */
export const historyOperations = {
  forget: "take a client out of everything it did, by a rule with one discount α",
  "forget-sets": "take any set of clients out together",
  "late-choice": "choose the rule, θ or α after training",
  factors: "measure the kept clients' Kronecker factors without the leaver",
  "forget-window": "take out what clients did in the last rounds only",
  recovery: "replay rounds as FedEraser and FedRecover do",
  audit: "show later what each client sent",
} as const;

/** The name of an operation. */
export type HistoryOperation = keyof typeof historyOperations;

const SUMS_ONLY = "only sums over rounds are kept, no client's single updates";
const OLD_ROUNDS_GONE = "records older than the window are gone";
const ALPHA_FIXED = "the sums were made for one rule and one α";

/** For every mode, which operations stay possible: true, or why not. */
export const operationsOf = {
  full: {
    forget: true,
    "forget-sets": true,
    "late-choice": true,
    factors: true,
    "forget-window": true,
    recovery: true,
    audit: true,
  },
  window: {
    forget: OLD_ROUNDS_GONE,
    "forget-sets": OLD_ROUNDS_GONE,
    "late-choice": true,
    factors: true,
    "forget-window": true,
    recovery: OLD_ROUNDS_GONE,
    audit: OLD_ROUNDS_GONE,
  },
  accumulator: {
    forget: true,
    "forget-sets": true,
    "late-choice": ALPHA_FIXED,
    factors: SUMS_ONLY,
    "forget-window": SUMS_ONLY,
    recovery: SUMS_ONLY,
    audit: SUMS_ONLY,
  },
  hybrid: {
    forget: true,
    "forget-sets": true,
    "late-choice": ALPHA_FIXED,
    factors: true,
    "forget-window": true,
    recovery: OLD_ROUNDS_GONE,
    audit: OLD_ROUNDS_GONE,
  },
} as const satisfies Record<Retention["mode"], Record<HistoryOperation, true | string>>;

/** W: rounds whose records are kept. */
export function windowOf(retention: Retention): number {
  switch (retention.mode) {
    case "full":
      return Number.POSITIVE_INFINITY;
    case "accumulator":
      return 0;
    case "window":
    case "hybrid":
      return retention.rounds;
    default:
      return retention satisfies never;
  }
}

/** α of the sums, undefined where there are none. */
export function sumsAlpha(retention: Retention): number | undefined {
  return "alpha" in retention ? retention.alpha : undefined;
}

/**
 * Refuses operations that a history's mode has made impossible.
 *
 * @throws LETHE_USAGE_MODE with the reason and the modes that can
 */
export function requireOperations(
  retention: Retention,
  operations: readonly HistoryOperation[],
  what: string,
): void {
  for (const operation of operations) {
    const answer: true | string = operationsOf[retention.mode][operation];
    if (answer === true) continue;
    const able = Object.entries(operationsOf).filter(([, possible]) => possible[operation] === true);
    throw new LetheError(
      "usage",
      "USAGE_MODE",
      `Expected a history that can ${historyOperations[operation]} for ${what}, got mode \`${retention.mode}\`: ` +
        `${answer}. Train with --history-mode ${able.map(([mode]) => mode).join(" or ")}.`,
      { details: { mode: retention.mode, operation } },
    );
  }
}

/** Why a mode does not go with the rest of a codec, in a sentence; undefined where it does. */
export function retentionFault(
  retention: Retention,
  threshold: { readonly mode: string },
): string | undefined {
  if (retention.mode === "full" || threshold.mode === "none") return undefined;
  return `Expected no thresholding in a history of mode \`${retention.mode}\`, got \`${threshold.mode}\`: records may not rest on others that leave.`;
}
