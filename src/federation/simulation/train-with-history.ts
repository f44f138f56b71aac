import type { History } from "../../history/store.ts";
import { LetheError } from "../../kernel/errors.ts";
import type { Progress } from "../../kernel/events.ts";
import type { ServerState } from "../aggregation.ts";
import { type FinishedRound, type RoundsOptions, runRounds } from "../rounds.ts";
import { decodeCheckpoint, encodeCheckpoint, type RunProgress } from "./checkpoint.ts";
import type { SimulationConfig } from "./config.ts";
import type { RateOfRound } from "./history-budget.ts";
import type { Measurer } from "./measurements.ts";

/** Weights and what it cost to get them. */
export interface Work {
  readonly weights: Float32Array;
  readonly seconds: number;
  readonly clientRounds: number;
  readonly localSteps: number;
}

/** Where the seconds of training are kept, so that a resumed run knows them too; outside the history's digests. */
export interface Stopwatch {
  read(): number;
  write(seconds: number): void;
}

/**
 * Federated training with every finished round accepted by the histories; goes on where they end.
 *
 * @param histories - the run's own history first; it decides where the run stands
 * @param start - weights before the first round [layout.length]
 * @throws LETHE_USAGE_OTHER_HISTORY when a further history lacks rounds the run has
 */
export async function* trainWithHistory(
  histories: readonly History[],
  start: Float32Array,
  config: SimulationConfig,
  rounds: Omit<RoundsOptions, "from" | "to">,
  measurer: Measurer,
  stopwatch: Stopwatch | undefined,
  rateOfRound: RateOfRound = async () => undefined,
): Progress<Work & RunProgress> {
  const { length } = start;
  const [history, ...others] = histories as readonly [History, ...History[]];
  const resumed = await history.resume();
  for (const other of others) await requireRounds(other, resumed?.round ?? -1);
  const checkpoint = resumed?.checkpoint && decodeCheckpoint(resumed.checkpoint, length);
  let progress: RunProgress = checkpoint?.progress ?? { localSteps: 0, clientRounds: 0, series: [] };
  const state: ServerState = {
    weights: resumed?.weights ?? start,
    velocity: checkpoint?.velocity ?? new Float32Array(length),
  };
  let seconds = resumed === undefined ? 0 : (stopwatch?.read() ?? 0);
  let since = performance.now();
  const accept = async (round: FinishedRound): Promise<void> => {
    const worked = (performance.now() - since) / 1000;
    const seen = await measurer.glance(round.state.weights);
    progress = advance(progress, round, seen);
    const input = {
      round: round.round,
      participants: round.contributions.map(({ client, weight, update, squaredGradient }) => ({
        client,
        weight,
        update,
        ...(squaredGradient === undefined ? {} : { auxiliary: { "squared-gradient": squaredGradient } }),
      })),
      weights: round.state.weights,
      checkpoint: encodeCheckpoint(
        config.server.momentum > 0 ? round.state.velocity : new Float32Array(0),
        progress,
      ),
    };
    // The main history last: a round that it holds is held by all, so that a killed run goes on in step.
    for (const other of others) await catchUp(other, input);
    const storing = performance.now();
    await history.acceptRound({ ...input, rate: await rateOfRound(round.round, history) });
    seconds += worked + (performance.now() - storing) / 1000;
    stopwatch?.write(seconds);
    since = performance.now();
  };
  const from = (resumed?.round ?? -1) + 1;
  const end = yield* runRounds(state, { ...rounds, from, to: config.rounds, onRound: accept });
  return { ...progress, weights: end.weights, seconds };
}

/** A codec that joins a run which has begun would be unlearnt from rounds it never saw. */
async function requireRounds(history: History, round: number): Promise<void> {
  const last = (await history.resume())?.round ?? -1;
  if (last >= round) return;
  throw new LetheError(
    "usage",
    "USAGE_OTHER_HISTORY",
    `Expected the history of every codec to hold the ${round + 1} rounds the run has, got one with ${last + 1}. ` +
      "Choose another place, or run without the further codecs.",
    { details: { rounds: round + 1, held: last + 1 } },
  );
}

/** Accepts a round unless the history has it already. */
async function catchUp(history: History, input: Parameters<History["acceptRound"]>[0]): Promise<void> {
  const last = await history.resume();
  if (last === undefined || last.round < input.round) await history.acceptRound(input);
}

function advance(
  progress: RunProgress,
  round: FinishedRound,
  seen: { readonly accuracy: number; readonly attackSuccess: number | undefined },
): RunProgress {
  return {
    localSteps: progress.localSteps + round.localSteps,
    clientRounds: progress.clientRounds + round.contributions.length,
    series: [...progress.series, pointOf(round, seen)],
  };
}

/** A round as a point of the curves, counted from 1. */
export function pointOf(
  { round }: FinishedRound,
  { accuracy, attackSuccess }: { readonly accuracy: number; readonly attackSuccess: number | undefined },
): RunProgress["series"][number] {
  return { round: round + 1, accuracy, ...(attackSuccess === undefined ? {} : { attackSuccess }) };
}
