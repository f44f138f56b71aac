import { z } from "zod";
import { throwIfCancelled } from "../../kernel/errors.ts";
import { defineRule } from "./define-rule.ts";
import { keptClients, workOf } from "./kept-clients.ts";

/**
 * The reference every other rule is judged by: the same run again from w₀, with the same batch orders and turns, by the kept
 * clients only. Exact and as dear as training; nothing of the history is read but its length.
 *
 * Source: the definition of exact unlearning; for federated averaging, McMahan et al., arXiv 1602.05629, algorithm 1.
 */
export const retrain = defineRule({
  id: "retrain",
  title: "Training again from the start without the removed clients",
  references: ["arXiv:1602.05629"],
  needs: ["history", "clients"],
  guarantee: "Exact: the removed clients' data are never seen.",
  config: z.strictObject({}),
  async *run(request) {
    const { clients: fleet, history, initialWeights, signal } = request;
    const clients = keptClients(request);
    yield { type: "started", operation: "unlearn", details: { rule: "retrain", rounds: history.rounds } };
    let weights = initialWeights;
    for (let round = 0; round < history.rounds; round++) {
      throwIfCancelled(signal);
      weights = await fleet.runRound({ weights, round, clients, signal });
      yield { type: "step", step: round + 1, of: history.rounds, scalars: {} };
    }
    return workOf(request, weights, "trained again from w₀");
  },
});
