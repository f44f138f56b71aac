import { z } from "zod";
import { LetheError } from "../kernel/errors.ts";
import { trainInShards } from "../training/sisa/train-in-shards.ts";
import { defineMethod } from "./define-method.ts";

/**
 * Brings sharded, sliced training up to date without the forget samples: only their shards are trained, from the first slice
 * that held one. The result is bit for bit that of sharded training that never saw them.
 *
 * Source: Bourtoule et al., "Machine unlearning" (2019), arXiv 1912.03817, section IV.
 */
export const sisa = defineMethod({
  id: "sisa",
  title: "Sharded, sliced training without the forget samples",
  references: ["arXiv:1912.03817"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["retain"],
  needsShards: true,
  guarantee: "Exact: the model is, bit for bit, what sharded training without the forget samples gives.",
  avoidWhen:
    "The model was not trained in shards (`lethe train --sisa`), or the request touches most of them: then it costs as much as " +
    "training.",
  config: z.strictObject({
    /** Make every slice again, whatever is kept: the same model at the full cost, to check the guarantee. */
    fromScratch: z.boolean().default(false),
  }),
  async *run({ retain, recipe, runtime, shards, signal }, { fromScratch }) {
    if (shards === undefined) {
      throw new LetheError(
        "usage",
        "USAGE_SHARDS",
        "Expected a model that was trained in shards, got another. Train it with `lethe train --sisa shards=5,slices=4`.",
      );
    }
    const { member, config, key, checkpoints } = shards;
    const { weights, gradientEvaluations, ...counts } = yield* trainInShards(
      recipe,
      {
        architecture: member,
        samples: retain,
        config,
        key,
        checkpoints: fromScratch ? { ...checkpoints, read: () => undefined } : checkpoints,
        ...(signal === undefined ? {} : { signal }),
      },
      runtime,
    );
    return { weights, details: counts, inner: { read: {}, gradientEvaluations, forwardEvaluations: 0 } };
  },
});
