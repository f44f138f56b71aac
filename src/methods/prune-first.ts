import { z } from "zod";
import { deriveKey } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { Architecture } from "../models/architecture.ts";
import { layersOf } from "../models/derive-layers.ts";
import { maskedArchitecture } from "../models/masked.ts";
import { masked as maskedGradients } from "../training/gradient-transforms.ts";
import { crossEntropy } from "../training/losses.ts";
import { maskByScore } from "../training/masks.ts";
import { learningRateFactor } from "../training/schedules.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, ordersOf } from "./iterative.ts";
import { fedAs, minibatches } from "./parts/minibatches.ts";
import { innerMethod } from "./parts/wrapping.ts";

/** Names of the prepared tensors: masks, and the weights of the sparse model. */
const [MASK, WEIGHT] = ["mask/", "weight/"] as const;

/**
 * Prunes the trained model before any request and runs another method on what is left: the sparser a model, the nearer cheap
 * unlearning comes to retraining.
 *
 * One-shot magnitude pruning: the mask of the largest `1 − sparsity` of |w| over all convolution weights, then `epochs` more of training
 * under the mask, the rate falling along a cosine. Steps on a request leave pruned weights at zero. Where convolutions hold less than
 * half of the weights (small networks, and those without any), dense layers before the last one are pruned with them: else nearly
 * nothing would be.
 *
 * Source: J. Jia et al., arXiv 2304.04934 (NeurIPS 2023), prune first, then unlearn. Departure: the trained weights are trained on
 * under the mask; the paper rewinds them to an early epoch, which a finished model no longer has.
 */
export const pruneFirst = defineMethod({
  id: "prune-first",
  title: "Another method on a pruned model (prune first, then unlearn)",
  references: ["arXiv:2304.04934"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget", "retain"],
  uses: ["validation"],
  guarantee: "That of the method inside, on a sparser model.",
  avoidWhen: "The training data are gone before the model has been pruned.",
  config: z.strictObject({
    /** The method inside. */
    inner: z.string().default("fine-tune"),
    settings: z.record(z.string(), z.unknown()).default({}),
    /** Share of the weights that are pruned. */
    sparsity: z.number().gt(0).lt(1).default(0.9),
    /** Whose weights are pruned; `auto`: convolutions, and dense layers with them where those hold more weights. */
    layers: z.enum(["auto", "convolutions", "all"]).default("auto"),
    /** Epochs of training under the mask. */
    epochs: z.int().min(1).default(5),
    learningRate: z.number().positive().default(0.02),
  }),
  async *prepare({ workbench, architecture, weights, recipe, key, training, signal }, config) {
    const masks = magnitudeMasks(architecture, weights, config);
    const start = prunedBy(weights, masks);
    const step = await workbench.step({
      optimizer: { id: "sgd", momentum: 0.9, weightDecay: 0 },
      transformGradients: maskedGradients("mask"),
      objective: (context) => ({
        loss: crossEntropy(context.forward(context.features("training")).logits, context.labels("training")),
      }),
    });
    const whole = new Map(
      [...weights].map(([name, values]) => [
        name,
        masks.get(name) ?? new Float32Array(values.length).fill(1),
      ]),
    );
    const end = yield* iterate(
      { weights: start, resume: undefined, onCheckpoint: undefined, signal },
      {
        epochs: config.epochs,
        steps: (epoch) =>
          ordersOf(
            step,
            withMask(
              fedAs(
                "training",
                minibatches(training, { batchSize: recipe.batchSize, key: deriveKey(key, "prune"), epoch }),
              ),
              whole,
            ),
            config.learningRate * learningRateFactor({ id: "cosine", end: 0 }, epoch, config.epochs + 1),
          ),
      },
    );
    return new Map([
      ...[...masks].map(([name, values]) => [`${MASK}${name}`, values] as const),
      ...[...end.weights].map(([name, values]) => [`${WEIGHT}${name}`, values] as const),
    ]);
  },
  async *run(request, { inner, settings }) {
    const method = innerMethod(request, "prune-first", inner);
    const prepared = request.prepared as ParameterSet;
    const masks = partOf(prepared, MASK);
    const { workbench: _, prepared: __, ...rest } = request;
    const outcome = yield* method.run(
      {
        ...rest,
        architecture: maskedArchitecture(request.architecture, masks),
        weights: partOf(prepared, WEIGHT),
      },
      settings,
    );
    return { ...outcome, inner: outcome.evidence, weights: prunedBy(outcome.weights, masks) };
  },
});

/** Masks of the largest weights of the layers to be pruned. */
function magnitudeMasks(
  architecture: Architecture,
  weights: ParameterSet,
  {
    sparsity,
    layers: chosen,
  }: { readonly sparsity: number; readonly layers: "auto" | "convolutions" | "all" },
): ParameterSet {
  const layers = layersOf(architecture);
  const valuesOf = (name: string): Float32Array => weights.get(name) as Float32Array;
  const sizeOfAll = (some: typeof layers): number =>
    some.reduce((sum, { name }) => sum + valuesOf(name).length, 0);
  const convolutions = layers.filter(({ kind }) => kind === "conv");
  const dense = layers.filter(({ kind }) => kind === "dense");
  const hidden = dense.slice(0, -1);
  const isAll = chosen === "all" || (chosen === "auto" && sizeOfAll(convolutions) < sizeOfAll(hidden));
  const some = isAll ? [...convolutions, ...hidden] : convolutions;
  // Of a linear model there is nothing but the last layer.
  const pruned = some.length > 0 ? some : layers;
  const scores = new Map(pruned.map(({ name }) => [name, valuesOf(name).map(Math.abs)] as const));
  return maskByScore(scores, { fraction: 1 - sparsity });
}

function prunedBy(weights: ParameterSet, masks: ParameterSet): ParameterSet {
  return new Map(
    [...weights].map(([name, values]) => {
      const mask = masks.get(name);
      return [name, mask === undefined ? values : values.map((value, at) => value * (mask[at] as number))];
    }),
  );
}

function partOf(prepared: ParameterSet, prefix: string): ParameterSet {
  return new Map(
    [...prepared].flatMap(([name, values]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), values] as const] : [],
    ),
  );
}

function* withMask<Fed>(
  feeds: Iterable<Fed>,
  mask: ParameterSet,
): Generator<Fed & { readonly mask: ParameterSet }> {
  for (const fed of feeds) yield { ...fed, mask };
}
