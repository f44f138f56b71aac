import type { Progress } from "../../kernel/events.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { ensembleWeights } from "../../models/ensemble.ts";
import type { RuntimeOptions } from "../../runtime/program.ts";
import type { Recipe } from "../recipe.ts";
import { createTrainer } from "../trainer.ts";
import { type SisaOptions, type SisaResult, trainSisa } from "./train-sisa.ts";

/** The ensemble, and what it cost. */
export interface ShardedResult extends Omit<SisaResult, "shards"> {
  /** Of {@link ensembleOf} the shards' architecture. */
  readonly weights: ParameterSet;
}

/**
 * Sharded training by the losses and penalties of a recipe, from compiling the step to the ensemble's weights; see
 * {@link trainSisa}.
 */
export async function* trainInShards(
  recipe: Recipe,
  run: Omit<SisaOptions, "trainer">,
  runtime: RuntimeOptions,
): Progress<ShardedResult> {
  await using trainer = await createTrainer(run.architecture, run.config.optimizer, {
    ...runtime,
    ...recipe,
  });
  const { shards, ...costs } = yield* trainSisa({ ...run, trainer });
  return { weights: ensembleWeights(shards), ...costs };
}
