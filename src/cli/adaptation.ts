import type { Command } from "commander";
import type { z } from "zod";
import { LetheError } from "../kernel/errors.ts";
import type { adaptationSchema } from "../models/adapt.ts";
import { parseCount, parseReal } from "./context.ts";

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
