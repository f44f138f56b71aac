import { z } from "zod";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { OpenArchitecture } from "./architecture.ts";
import { withLora } from "./lora.ts";
import { selectTrainable } from "./select-trainable.ts";

/** What of a model is trained; the only place where the adapters' defaults live. */
export const adaptationSchema = z.strictObject({
  train: z.array(z.string().min(1)).min(1).optional(),
  freeze: z.array(z.string().min(1)).min(1).optional(),
  lora: z
    .strictObject({
      targets: z.array(z.string().min(1)).min(1),
      rank: z.int().min(1).default(8),
      alpha: z.number().positive().default(16),
    })
    .optional(),
});

/** Settings of {@link adapt}. */
export type Adaptation = z.output<typeof adaptationSchema>;

/** A model of which a part is trained. */
export interface Adapted<Model extends OpenArchitecture> {
  readonly architecture: Model;
  /** Weights of the model as it was, of those trained. */
  restore(weights: ParameterSet): ParameterSet;
}

/**
 * The model with what the settings freeze or add.
 *
 * @param values - of all weights
 * @throws LETHE_USAGE_PATTERN, LETHE_USAGE_TRAINABLE, LETHE_USAGE_RANK
 */
export function adapt<Model extends OpenArchitecture>(
  architecture: Model,
  { train, freeze, lora }: Adaptation,
  values: ParameterSet,
): Adapted<Model> {
  if (lora !== undefined) {
    const adapted = withLora(architecture, { ...lora, ...(train && { train }) }, values);
    return { architecture: adapted.architecture, restore: adapted.merged };
  }
  const selection = { ...(train && { train }), ...(freeze && { freeze }) };
  return {
    architecture: train || freeze ? selectTrainable(architecture, selection, values) : architecture,
    restore: (weights) => new Map([...values, ...weights]),
  };
}
