import { quantisers } from "../../history/quantisers/index.ts";
import type { History } from "../../history/store.ts";
import { LetheError } from "../../kernel/errors.ts";
import { predictHistoryBytes, rateForRest } from "../../planning/history-size.ts";
import type { SimulationConfig } from "./config.ts";

/** Rates that a budget may lead to. */
const BOUNDS = { least: 0.05, most: 20 };

/** The rate of a round's records, undefined where the codec's own is meant. */
export type RateOfRound = (
  round: number,
  history: History,
) => Promise<{ readonly bitsPerParameter: number } | undefined>;

/**
 * Shares a history's bytes out over the rounds to come, each time from what is really left.
 *
 * @param parameters - and buffers, of the model
 * @throws LETHE_USAGE_BUDGET for a budget that is too small, or a codec or mode whose size cannot be set
 */
export function historyBudget(config: SimulationConfig, parameters: number): RateOfRound {
  const { historyBudgetBytes: budget, codec, historyMode, clients, rounds, participation } = config;
  if (budget === undefined) return async () => undefined;
  const updatesPerRound = Math.max(1, Math.round(participation * clients));
  if (quantisers[codec.quantiser].rateControl === "none" || !("bitsPerParameter" in codec.rate)) {
    throw budgetError(`a codec with a rate in bits a parameter for a budget, got \`${codec.quantiser}\``);
  }
  if (historyMode.mode !== "full") {
    throw budgetError(
      `mode \`full\` for a budget, got \`${historyMode.mode}\`: see \`lethe plan\` for the others`,
    );
  }
  const size = { rounds, clients, updatesPerRound, parameters };
  const least = Math.ceil(predictHistoryBytes(size, historyMode, BOUNDS.least));
  if (least > budget)
    throw budgetError(`a budget of at least ${least} bytes for ${rounds} rounds, got ${budget}`);
  return async (round, history) => {
    const rest = { ...size, rounds: rounds - round };
    return { bitsPerParameter: rateForRest(rest, round === 0, budget - (await history.usedBytes()), BOUNDS) };
  };
}

function budgetError(expected: string): LetheError {
  return new LetheError("usage", "USAGE_BUDGET", `Expected ${expected}.`);
}
