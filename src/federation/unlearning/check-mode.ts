import {
  type HistoryOperation,
  type Retention,
  requireOperations,
  sumsAlpha,
  windowOf,
} from "../../history/retention.ts";
import { LetheError } from "../../kernel/errors.ts";
import type { ServerStep } from "./training-facts.ts";

/** What a rule asks of a history with its settings. */
export interface HistoryDemand {
  readonly operations: readonly HistoryOperation[];
  /** α, where the rule needs no more than sums made for it. */
  readonly alpha?: number;
}

/** The part of training that a leaver is taken out of: all rounds, or the last ones that a window keeps. */
export type UnlearningScope = "everything" | "window";

/**
 * Refuses a rule that the history's mode has no means for; known before anyone trains.
 *
 * @param demand - the rule's, undefined for one that reads no history
 * @param run - `rounds`: T, of the finished run: a window that holds all of them is as good as a full history
 * @throws LETHE_USAGE_MODE
 */
export function checkMode(
  rule: string,
  demand: HistoryDemand | undefined,
  run: {
    readonly retention: Retention;
    readonly scope: UnlearningScope;
    readonly rounds: number;
    readonly server: ServerStep;
  },
): void {
  const { retention, scope, rounds, server } = run;
  const what = `the rule \`${rule}\``;
  if (scope === "window") {
    if (retention.mode === "full") {
      throw modeError(`a history with a window for scope \`window\`, got mode \`full\`. Leave the scope out`);
    }
    const beside = demand?.operations.filter((operation) => operation === "factors") ?? [];
    requireOperations(retention, ["forget-window", ...beside], what);
    return;
  }
  if (demand === undefined || windowOf(retention) >= rounds) return;
  const alpha = sumsAlpha(retention);
  if (alpha === undefined || demand.alpha === undefined) {
    requireOperations(retention, demand.operations, what);
    return;
  }
  if (demand.alpha !== alpha) {
    throw modeError(
      `α = ${alpha}, which the sums of mode \`${retention.mode}\` were made for, got ${demand.alpha} for ${what}. ` +
        `Set alpha=${alpha}, or train with --history-mode full`,
    );
  }
  if (server.momentum !== 0 || server.rate !== 1) {
    throw modeError(
      `plain averaging by the server for mode \`${retention.mode}\`, got momentum ${server.momentum} and rate ${server.rate}: ` +
        "the sums do not follow them. Train with --history-mode full",
    );
  }
}

function modeError(expected: string): LetheError {
  return new LetheError("usage", "USAGE_MODE", `Expected ${expected}.`);
}
