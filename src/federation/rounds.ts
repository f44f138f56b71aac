import type { Samples } from "../data/dataset.ts";
import { isLetheError, LetheError, throwIfCancelled } from "../kernel/errors.ts";
import type { Progress } from "../kernel/events.ts";
import { deriveKey, type Key, randomStream } from "../kernel/key.ts";
import type { ModelLayout } from "../kernel/layout.ts";
import type { Trainer } from "../training/trainer.ts";
import { applyMean, refusalOf, type ServerState, type ServerStep, weightedMean } from "./aggregation.ts";
import { type LocalResult, type LocalTraining, trainLocally } from "./local-training.ts";

/** A client as the simulation sees it. */
export interface SimulatedClient {
  readonly id: string;
  readonly samples: Samples;
  /** Factor on the client's weight in the mean; 1 when left out. */
  readonly weightFactor?: number;
  /** What the client does to its update before it sends it: an attacker's boost. Nothing when left out. */
  readonly distort?: (update: Float32Array, parameterLength: number) => Float32Array;
}

/** A client's contribution to a finished round, as aggregated. */
export interface Contribution {
  readonly client: string;
  /** Unnormalised share in the mean: the number of samples, or 1. */
  readonly weight: number;
  readonly update: Float32Array;
  readonly squaredGradient: Float32Array | undefined;
}

/** A finished round. */
export interface FinishedRound {
  readonly round: number;
  readonly contributions: readonly Contribution[];
  /** The server after the round: all that the next round needs. */
  readonly state: ServerState;
  /** Steps behind the contributions; those of refused updates are not counted. */
  readonly localSteps: number;
}

/** A federated run in one process. */
export interface RoundsOptions {
  readonly trainer: Trainer;
  readonly layout: ModelLayout;
  /** The whole population, which decides whose turn it is. */
  readonly clients: readonly SimulatedClient[];
  /** Clients that never take part: those a retrained model must not have seen. */
  readonly excluded?: ReadonlySet<string>;
  readonly local: LocalTraining;
  /** First and one past the last round. */
  readonly from: number;
  readonly to: number;
  /** Share of the clients that take part in a round, in (0, 1]. */
  readonly participation: number;
  readonly weighting: "samples" | "equal";
  readonly server: ServerStep;
  readonly key: Key;
  /** Steps of each client in a round, when fewer than its epochs give: a short repair round. */
  readonly maxLocalSteps?: number;
  /** Awaited after every round; a round counts as finished when it returns. */
  readonly onRound?: (round: FinishedRound) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

/**
 * Federated averaging over simulated clients: each round the chosen clients train from the server's weights, and the
 * server moves by the weighted mean of their updates. A client whose update is unusable (NaN, wrong length, a training that
 * diverged) is refused with a `notice`, and the round goes on without it.
 *
 * Who takes part in round t is drawn from (key, t) among the whole population before the excluded are left out, so that a
 * run without a client is the same run otherwise; a round in which only excluded clients were chosen leaves the server as
 * it is.
 *
 * @param start - the server's state before round `from`
 * @yields a `step` event per round, `notice` events for refused updates
 * @throws LETHE_NUMERIC_NO_UPDATES when every update of a round was refused
 */
export async function* runRounds(start: ServerState, options: RoundsOptions): Progress<ServerState> {
  const { layout, from, to } = options;
  let state = start;
  for (let round = from; round < to; round++) {
    const contributions: Contribution[] = [];
    let localSteps = 0;
    const invited = participants(options, round);
    for (const client of invited) {
      throwIfCancelled(options.signal);
      const sent = await workOf(client, state.weights, round, options);
      if (sent.refusal !== undefined) {
        yield {
          type: "notice",
          code: "UPDATE_REFUSED",
          message: `The update of client ${client.id} in round ${round} was refused. ${sent.refusal}`,
          details: { client: client.id, round },
        };
        continue;
      }
      const weight =
        (options.weighting === "samples" ? client.samples.count : 1) * (client.weightFactor ?? 1);
      const { update, squaredGradient, steps } = sent;
      localSteps += steps;
      contributions.push({ client: client.id, weight, update, squaredGradient });
    }
    if (invited.length > 0)
      state = applyMean(state, weightedMean(contributions), options.server, layout.parameterLength);
    await options.onRound?.({ round, contributions, state, localSteps });
    yield {
      type: "step",
      step: round + 1,
      of: to,
      scalars: { clients: contributions.length, localSteps },
    };
  }
  return state;
}

/** What a client sent, and why it cannot be used where it cannot. */
type Sent = (LocalResult & { readonly refusal: undefined }) | { readonly refusal: string };

/** A client's training in one round, and the server's first look at what it sends. */
async function workOf(
  client: SimulatedClient,
  weights: Float32Array,
  round: number,
  options: RoundsOptions,
): Promise<Sent> {
  const { trainer, layout, local, key, maxLocalSteps, signal } = options;
  const order = {
    key,
    client: client.id,
    round,
    ...(maxLocalSteps === undefined ? {} : { maxSteps: maxLocalSteps }),
  };
  try {
    const result = await trainLocally(trainer, layout, weights, client.samples, local, order, signal);
    const update = client.distort?.(result.update, layout.parameterLength) ?? result.update;
    const refusal = refusalOf(update, layout.length);
    return refusal === undefined ? { ...result, update, refusal } : { refusal };
  } catch (error) {
    // One client that diverged, or whose data are no numbers, must not end everybody's run.
    if (!isLetheError(error) || error.code !== "LETHE_NUMERIC_LOSS") throw error;
    return { refusal: error.message };
  }
}

/** The clients of a round: a uniform choice from the population, in its order, without the excluded. */
function participants(options: RoundsOptions, round: number): readonly SimulatedClient[] {
  const { clients, participation, key, excluded } = options;
  const isKept = (client: SimulatedClient): boolean => !excluded?.has(client.id);
  if (!clients.some(isKept))
    throw new LetheError("usage", "USAGE_CLIENTS", "Expected at least one client, got none.");
  if (participation >= 1) return clients.filter(isKept);
  const count = Math.max(1, Math.round(participation * clients.length));
  const order = randomStream(deriveKey(key, "participation", round)).permutation(clients.length);
  const chosen = new Set(order.subarray(0, count));
  return clients.filter((client, position) => chosen.has(position) && isKept(client));
}
