import { type Attack, type AttackContext, type AttackDefinition, attackError } from "./attack.ts";
import { backdoor } from "./backdoor.ts";
import { labelflip } from "./labelflip.ts";
import { none } from "./none.ts";

export type { Attack, AttackContext, AttackDefinition, AttackFacts } from "./attack.ts";

/** Every kind of attack. */
export const attacks: readonly AttackDefinition[] = [none, backdoor, labelflip];

/**
 * Makes the attack of this id.
 *
 * @param config - values that differ from the attack's defaults
 * @throws LETHE_USAGE_ATTACK for an unknown id or a configuration the attack does not take
 * @example
 * const attack = createAttack("backdoor", { boost: 5 }, { honest: train, key: deriveKey(runKey, "attack") });
 * const poisoned = attack.poison(train.subset(clients[0]), deriveKey(runKey, "poison", 0));
 */
export function createAttack(id: string, config: unknown, context: AttackContext): Attack {
  const definition = attacks.find((candidate) => candidate.id === id);
  if (definition) return definition.create(config, context);
  const known = attacks.map((candidate) => candidate.id).join(", ");
  throw attackError(`Expected an attack ${known}, got \`${id}\`.`);
}
