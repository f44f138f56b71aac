import type { z } from "zod";
import type { Samples } from "../../data/dataset.ts";
import { LetheError } from "../../kernel/errors.ts";
import type { Key } from "../../kernel/key.ts";

/** What a client does who wants the common model to misbehave. */
export interface Attack {
  readonly id: string;
  /** The attacker multiplies each update by this before sending it. */
  readonly boost: number;
  /** What it does, for reports; `undefined` when nothing is done. */
  readonly facts: AttackFacts | undefined;
  /**
   * The attacker's samples as it trains on them: a view, the samples given stay as they are.
   *
   * @param key - decides which samples are changed; the same key changes the same ones
   */
  poison(samples: Samples, key: Key): Samples;
  /**
   * Test samples as the attacker presents them, labelled as it wants them answered. So accuracy on this view is the
   * attack's success. `undefined` when there is nothing to succeed at.
   */
  triggered(samples: Samples): Samples | undefined;
}

/** An attack with its settings, defaults included: the place reports read them from. */
export type AttackFacts = BackdoorFacts | LabelFlipFacts;

/** Images with a trigger are taught as one class. */
export interface BackdoorFacts {
  readonly kind: "backdoor";
  /** The pattern in words, as it is on images of this size. */
  readonly trigger: string;
  /** Whether the pattern lies in the span of the data themselves, where no rule can tell it from them by direction. */
  readonly isOfData: boolean;
  readonly target: number;
  /** Share of the attacker's images with the trigger. */
  readonly fraction: number;
  readonly boost: number;
}

/** Every class is taught as the next one. */
export interface LabelFlipFacts {
  readonly kind: "labelflip";
  /** Share of the attacker's samples with a wrong label. */
  readonly fraction: number;
  readonly boost: number;
}

/** A kind of attack. One file, one line in the registry. */
export interface AttackDefinition {
  readonly id: string;
  readonly title: string;
  /**
   * @param config - unknown names are rejected
   * @param context - what an attacker may look at
   * @throws LETHE_USAGE_ATTACK
   */
  create(config: unknown, context: AttackContext): Attack;
}

/** What an attack may be built from. */
export interface AttackContext {
  /** Data like the honest clients'; read only by attacks that adapt to it. */
  readonly honest: Samples;
  /** Decides what is random in the attack itself. */
  readonly key: Key;
}

/** Makes a definition of a schema, the only place of its defaults, and a builder that receives checked values. */
export function defineAttack<Schema extends z.ZodType>(definition: {
  readonly id: string;
  readonly title: string;
  readonly config: Schema;
  readonly create: (config: z.infer<Schema>, context: AttackContext) => Omit<Attack, "id">;
}): AttackDefinition {
  const { id, title } = definition;
  return {
    id,
    title,
    create(config, context) {
      const parsed = definition.config.safeParse(config);
      if (!parsed.success) {
        const reasons = parsed.error.issues.map(({ path, message }) => [...path, message].join(": "));
        throw attackError(`Expected a valid configuration of the attack \`${id}\`: ${reasons.join("; ")}.`);
      }
      return { id, ...definition.create(parsed.data, context) };
    },
  };
}

/** An attack that cannot be made as asked. */
export function attackError(message: string): LetheError {
  return new LetheError("usage", "USAGE_ATTACK", message);
}
