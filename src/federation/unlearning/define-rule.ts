import type { z } from "zod";
import { LetheError } from "../../kernel/errors.ts";
import type { Progress } from "../../kernel/events.ts";
import { checkedSettings } from "../../kernel/settings.ts";
import { checkMode, type HistoryDemand } from "./check-mode.ts";
import { checkRequest } from "./check-request.ts";
import type { Need, RequestWith, RuleLimits, UnlearningOutcome, UnlearningRule } from "./contract.ts";

/**
 * Makes a rule out of its declaration. The body sees only the capabilities it declared, and settings that are valid.
 */
export function defineRule<const N extends Need, S extends z.ZodType>(declaration: {
  readonly id: string;
  readonly title: string;
  readonly references: readonly string[];
  readonly needs: readonly N[];
  readonly limits?: RuleLimits;
  readonly demands?: (config: z.output<S>) => HistoryDemand;
  readonly guarantee: string;
  readonly config: S;
  readonly run: (request: RequestWith<N>, config: z.output<S>) => Progress<UnlearningOutcome>;
}): UnlearningRule {
  const { id, needs, config } = declaration;
  return {
    ...declaration,
    demands: (settings = {}) => declaration.demands?.(checkedSettings(id, config, settings)),
    async *run(request, settings = {}) {
      const parsed = checkedSettings(id, config, settings);
      for (const need of needs) {
        if (request[need] === undefined) {
          throw new LetheError(
            "usage",
            "USAGE_NEED",
            `Expected \`${need}\` for the rule \`${id}\`, got none.`,
            {
              details: { rule: id, need },
            },
          );
        }
      }
      checkRequest(request);
      const { history, scope = "everything", training } = request;
      if (history?.retention !== undefined && needs.some((need) => need === "history")) {
        const { retention, rounds } = history;
        checkMode(id, declaration.demands?.(parsed), { retention, scope, rounds, server: training.server });
      }
      return yield* declaration.run(request as RequestWith<N>, parsed);
    },
  };
}
