import { LetheError } from "../kernel/errors.ts";
import type { Method, MethodTable } from "./contract.ts";
import { doNothing } from "./do-nothing.ts";
import { fineTune } from "./fine-tune.ts";
import { gradientAscent } from "./gradient-ascent.ts";
import { negGradPlus } from "./neg-grad-plus.ts";
import { randomLabels } from "./random-labels.ts";
import { randomNoise } from "./random-noise.ts";
import { retrain } from "./retrain.ts";
import { scrub, scrubR } from "./scrub.ts";

/** Every method that unlearns a centrally trained model, by id: references and controls first. */
export const methods: MethodTable = Object.fromEntries(
  [retrain, doNothing, randomNoise, fineTune, gradientAscent, negGradPlus, randomLabels, scrub, scrubR].map(
    (method) => [method.id, method],
  ),
);

/**
 * The method of an id.
 *
 * @throws LETHE_USAGE_METHOD naming the ids there are
 */
export function findMethod(id: string): Method {
  const method = Object.hasOwn(methods, id) ? methods[id] : undefined;
  if (method !== undefined) return method;
  throw new LetheError(
    "usage",
    "USAGE_METHOD",
    `Expected a method ${Object.keys(methods).join(", ")}, got \`${id}\`.`,
    { details: { method: id } },
  );
}
