import { type Digest, digestJson } from "../../kernel/digest.ts";
import { LetheError } from "../../kernel/errors.ts";
import { deriveKey, type Key } from "../../kernel/key.ts";
import { type Recipe, rateOf } from "../recipe.ts";
import { type SisaConfig, sisaSchema } from "./config.ts";

/** Settings a slice, which is short and goes on from another, has no place for. */
const UNSERVED = ["averaging", "proximal", "augment"] as const satisfies readonly (keyof Recipe)[];

/**
 * A recipe's settings for sharded training, and the key of all its draws: another recipe draws anew, so that no checkpoint of one
 * is ever taken for that of another.
 *
 * @param key - of the run
 * @throws LETHE_USAGE_SETTINGS for settings sharded training does not serve
 */
export function shardedRecipe(
  recipe: Recipe,
  division: Pick<SisaConfig, "shards" | "slices">,
  key: Key,
): { readonly config: SisaConfig; readonly key: Key } {
  const unserved = UNSERVED.filter((name) => recipe[name] !== undefined);
  if (recipe.schedule.id !== "constant" || unserved.length > 0) {
    const [name = "schedule"] = unserved;
    throw new LetheError(
      "usage",
      "USAGE_SETTINGS",
      `Expected sharded training with a constant learning rate and without ${UNSERVED.join(", ")}, got \`${name}\`.`,
    );
  }
  const { epochs, batchSize, optimizer } = recipe;
  const config = sisaSchema.parse({
    ...division,
    epochs,
    batchSize,
    optimizer,
    learningRate: rateOf(recipe),
  });
  return { config, key: deriveKey(key, "sisa", digestOf(recipe)) };
}

function digestOf(recipe: Recipe): Digest {
  return digestJson(JSON.parse(JSON.stringify(recipe)));
}
