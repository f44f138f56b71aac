import { z } from "zod";
import type { LetheEvent } from "../../kernel/events.ts";
import type { RequestWith, UnlearningOutcome } from "./contract.ts";
import { defineRule } from "./define-rule.ts";
import { readDeviations } from "./deviations.ts";
import type { HistorySums } from "./history-reader.ts";
import { modelRecursion } from "./recursion.ts";
import { subtractError } from "./subtract.ts";

/**
 * The scalar rule: the leavers' part of every round is subtracted, older rounds discounted by one factor.
 *
 *   δ_t = Σ_{u∉F} p_u h_t^u / (1 − p_F) − h̄_t,   w′ = w_T + Σ_{t<T} (1 + α)^{T−1−t} δ_t
 *
 * α = 0 re-aggregates the history without the leavers along the old trajectory: the case theorems speak of, which on
 * real images destroys the model. α = −0.15 is the value for demonstrations, which may keep a backdoor. One pass,
 * O(model) memory.
 *
 * Source: N. Lang, A. Helvits, N. Shlezinger, "Memory-Efficient Distributed Unlearning", arXiv 2505.03388 (2025); the
 * skew α from T. T. Huynh et al., "Fast-FedUL", arXiv 2405.18040 (2024). General weights and several leavers are
 * derived here; server momentum is followed by the same recursion with (1 + α) for the response.
 */
export const medu = defineRule({
  id: "medu",
  title: "Subtraction from the stored history, one discount for all (MEDU)",
  references: ["arXiv:2505.03388", "arXiv:2405.18040"],
  needs: ["history"],
  demands: ({ alpha }) => ({ operations: ["forget", "forget-sets", "late-choice"], alpha }),
  guarantee: "None for networks; with α = 0 the distance to retraining is bounded for one-step clients.",
  config: z.strictObject({
    /** α, the skew; (1 + α) is what a round leaves of earlier contributions. */
    alpha: z.number().gt(-1).max(0).default(0),
    /** What stands in for a leaver's update that was not recorded. */
    estimator: z.enum(["skip", "ipw", "hold"]).default("hold"),
  }),
  async *run(request, { alpha, estimator }) {
    const { layout, layers, finalWeights, history } = request;
    yield { type: "started", operation: "unlearn", details: { rule: "medu", alpha, estimator } };
    if (history.sums !== undefined && request.scope !== "window")
      return await fromSums(request, history.sums);
    const deviations = readDeviations(request, estimator);
    const recursion = modelRecursion(layout, 1 + alpha, request.training.server);
    for await (const { round, deviation, isCorrected } of deviations.pass()) {
      recursion.advance(isCorrected ? deviation : undefined);
      yield stepOf(round, history.rounds);
    }
    const { weights, flooredVariances } = subtractError(finalWeights, recursion.error, layers);
    return {
      weights,
      diagnosis: { verdict: "unjudged", values: {}, warnings: [] },
      evidence: {
        ...deviations.evidence(),
        treatments: [{ layer: "all", treatment: "one discount", details: { alpha, flooredVariances } }],
      },
    };
  },
});

/** The recursion was run while training, client by client, on the updates before they were coded. */
async function fromSums(
  { finalWeights, layers, leavers, history }: RequestWith<"history">,
  sums: HistorySums,
): Promise<UnlearningOutcome> {
  const { error, correctedRounds, keptClients } = await sums.errorOf(leavers);
  const { weights, flooredVariances } = subtractError(finalWeights, error, layers);
  return {
    weights,
    diagnosis: { verdict: "unjudged", values: {}, warnings: [] },
    evidence: {
      rounds: history.rounds,
      correctedRounds,
      recordsRead: 0,
      keptClients,
      leavers: leavers.length,
      treatments: [
        {
          layer: "all",
          treatment: "one discount, from sums",
          details: { alpha: sums.alpha, flooredVariances },
        },
      ],
    },
  };
}

function stepOf(round: number, of: number): LetheEvent {
  return { type: "step", step: round + 1, of, scalars: {} };
}
