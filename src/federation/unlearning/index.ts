import { LetheError } from "../../kernel/errors.ts";
import type { UnlearningRule } from "./contract.ts";
import { fineTune } from "./fine-tune.ts";
import { kroneckerResponse } from "./kronecker-response.ts";
import { medu } from "./medu.ts";
import { retrain } from "./retrain.ts";

/** Every rule that forgets clients of a federated model, by id. */
export const unlearningRules = {
  "kronecker-response": kroneckerResponse,
  medu,
  retrain,
  "fine-tune": fineTune,
} as const satisfies Readonly<Record<string, UnlearningRule>>;

/**
 * The rule of an id.
 *
 * @throws LETHE_USAGE_METHOD naming the ids there are
 */
export function findRule(id: string): UnlearningRule {
  const rule = Object.entries<UnlearningRule>(unlearningRules).find(([known]) => known === id)?.[1];
  if (rule !== undefined) return rule;
  const known = Object.keys(unlearningRules).join(", ");
  throw new LetheError(
    "usage",
    "USAGE_METHOD",
    `Expected a federated unlearning method ${known}, got \`${id}\`.`,
  );
}
