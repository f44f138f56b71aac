import type { UnlearningRule } from "./contract.ts";
import { medu } from "./medu.ts";

/** Every rule that forgets clients of a federated model, by id. */
export const unlearningRules = {
  medu,
} as const satisfies Readonly<Record<string, UnlearningRule>>;
