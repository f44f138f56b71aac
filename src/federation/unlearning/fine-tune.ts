import { z } from "zod";
import { throwIfCancelled } from "../../kernel/errors.ts";
import { defineRule } from "./define-rule.ts";
import { keptClients, workOf } from "./kept-clients.ts";

/**
 * A control that must fail: some more rounds of ordinary training by the kept clients, from w_T. What the removed clients left
 * fades only as far as new training happens to overwrite it; a backdoor usually stays.
 */
export const fineTune = defineRule({
  id: "fine-tune",
  title: "More training by the kept clients (a control: it does not forget)",
  references: [],
  needs: ["history", "clients"],
  guarantee: "None.",
  config: z.strictObject({
    rounds: z.int().min(1).default(2),
  }),
  async *run(request, { rounds }) {
    const { clients: fleet, history, finalWeights, signal } = request;
    const clients = keptClients(request);
    yield { type: "started", operation: "unlearn", details: { rule: "fine-tune", rounds } };
    let weights = finalWeights;
    for (let round = 0; round < rounds; round++) {
      throwIfCancelled(signal);
      weights = await fleet.runRound({ weights, round: history.rounds + round, clients, signal });
      yield { type: "step", step: round + 1, of: rounds, scalars: {} };
    }
    return workOf(request, weights, "trained on from w_T");
  },
});
