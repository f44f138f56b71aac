import { LetheError } from "../../kernel/errors.ts";
import type { UnlearningRule } from "./contract.ts";

/**
 * Refuses a rule that could not work on a run, before the run is trained.
 *
 * @throws LETHE_USAGE_OPTIMIZER, LETHE_USAGE_CLIENTS
 */
export function checkPlan(
  { id, limits = {} }: Pick<UnlearningRule, "id" | "limits">,
  plan: { readonly optimizer: string; readonly keptClients: number },
): void {
  const { optimizers, leastKeptClients = 1 } = limits;
  if (optimizers?.includes(plan.optimizer) === false) {
    throw new LetheError(
      "usage",
      "USAGE_OPTIMIZER",
      `Expected clients trained by ${optimizers.join(" or ")} for the rule \`${id}\`, got \`${plan.optimizer}\`. ` +
        "Use another optimizer, or the rule `medu` or `retrain`.",
      { details: { rule: id, optimizer: plan.optimizer } },
    );
  }
  if (plan.keptClients >= leastKeptClients) return;
  throw new LetheError(
    "usage",
    "USAGE_CLIENTS",
    `Expected at least ${leastKeptClients} clients to be kept for the rule \`${id}\`, got ${plan.keptClients}. Use the rule \`medu\`.`,
    { details: { rule: id, keptClients: plan.keptClients } },
  );
}
