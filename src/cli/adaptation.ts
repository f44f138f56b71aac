import type { Command } from "commander";
import { z } from "zod";
import { LetheError } from "../kernel/errors.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { OpenArchitecture } from "../models/architecture.ts";
import { withLora } from "../models/lora.ts";
import { selectTrainable } from "../models/select-trainable.ts";
import { parseCount, parseReal } from "./context.ts";

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

/** The flags of {@link addAdaptationOptions} as commander gives them. */
export interface AdaptationOptions {
  readonly train?: readonly string[];
  readonly freeze?: readonly string[];
  readonly lora?: readonly string[];
  readonly loraRank?: number;
  readonly loraAlpha?: number;
}

/** Adds `--train --freeze --lora --lora-rank --lora-alpha` to a command. */
export function addAdaptationOptions(command: Command): Command {
  const append = (text: string, earlier: readonly string[] = []): string[] => [...earlier, text];
  return command
    .option("--train <pattern>", "train only parameters of such names (`layer4.*`); repeatable", append)
    .option("--freeze <pattern>", "train none of such names; repeatable", append)
    .option(
      "--lora <pattern>",
      "low-rank adapters on such matrices, the rest frozen but for --train; repeatable",
      append,
    )
    .option("--lora-rank <rank>", "rank of the adapters (default: 8)", parseCount)
    .option("--lora-alpha <alpha>", "adapters are added alpha/rank times (default: 16)", parseReal);
}

/**
 * The flags in the schema's form; empty where none is given.
 *
 * @throws LETHE_USAGE_SETTINGS for the size of adapters nobody asks for
 */
export function adaptationInput(options: AdaptationOptions): z.input<typeof adaptationSchema> {
  const { train, freeze, lora, loraRank: rank, loraAlpha: alpha } = options;
  if (lora === undefined && (rank ?? alpha) !== undefined) {
    throw new LetheError(
      "usage",
      "USAGE_SETTINGS",
      "Expected --lora PATTERN with --lora-rank or --lora-alpha.",
    );
  }
  if (lora !== undefined && freeze !== undefined) {
    throw new LetheError(
      "usage",
      "USAGE_SETTINGS",
      "Expected --lora without --freeze: it freezes all but --train.",
    );
  }
  return {
    ...(train && { train: [...train] }),
    ...(freeze && { freeze: [...freeze] }),
    ...(lora && { lora: { targets: [...lora], rank, alpha } }),
  };
}

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
