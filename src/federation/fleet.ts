import type { ClientId } from "../kernel/client-id.ts";
import { clientId } from "../kernel/client-id.ts";
import { consume } from "../kernel/events.ts";
import { type FinishedRound, type RoundsOptions, runRounds } from "./rounds.ts";
import type { ClientFleet } from "./unlearning/contract.ts";

/** A fleet of simulated clients, and what it has spent. */
export interface SimulatedFleet extends ClientFleet {
  /** Local trainings and local steps so far. */
  readonly spent: { readonly clientRounds: number; readonly localSteps: number };
}

/**
 * The clients of a simulation as unlearning rules see them. One fleet is one run: it carries the server's velocity from
 * round to round.
 *
 * @param options - the federation's settings
 * @param onRound - awaited after every round
 */
export function simulatedFleet(
  options: Omit<RoundsOptions, "from" | "to" | "excluded" | "onRound">,
  onRound: (round: FinishedRound) => void | Promise<void> = () => {},
): SimulatedFleet {
  let velocity: Float32Array = new Float32Array(options.layout.length);
  const spent = { clientRounds: 0, localSteps: 0 };
  return {
    clients: options.clients.map(({ id }) => clientId(id)),
    spent,
    async runRound({ weights, round, clients, localSteps, everyoneTakesPart, signal }) {
      const state = await consume(
        runRounds(
          { weights, velocity },
          {
            ...options,
            excluded: excludedFrom(options, clients),
            from: round,
            to: round + 1,
            onRound: async (finished) => {
              spent.clientRounds += finished.contributions.length;
              spent.localSteps += finished.localSteps;
              await onRound(finished);
            },
            ...(everyoneTakesPart ? { participation: 1 } : {}),
            ...(localSteps === undefined ? {} : { maxLocalSteps: localSteps }),
            ...(signal === undefined ? {} : { signal }),
          },
        ),
      );
      velocity = state.velocity;
      return state.weights;
    },
  };
}

function excludedFrom(
  { clients }: Pick<RoundsOptions, "clients">,
  kept: readonly ClientId[],
): ReadonlySet<string> {
  const keeps = new Set<string>(kept);
  return new Set(clients.map(({ id }) => id).filter((id) => !keeps.has(id)));
}
