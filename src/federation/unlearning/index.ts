import type { UnlearningRule } from "./contract.ts";
import { kroneckerResponse } from "./kronecker-response.ts";
import { medu } from "./medu.ts";

/** Every rule that forgets clients of a federated model, by id. */
export const unlearningRules = {
  "kronecker-response": kroneckerResponse,
  medu,
} as const satisfies Readonly<Record<string, UnlearningRule>>;
