import { z } from "zod";
import type { Samples } from "../data/dataset.ts";
import { joinedSamples } from "../data/joined.ts";
import { deriveKey, type Key, randomStream } from "../kernel/key.ts";
import { sizeOf } from "../kernel/layout.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { add, mul } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import type { Feeds } from "../training/feeds.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, type Look, type Order, type Reached } from "./iterative.ts";
import { accuracyOf } from "./parts/class-accuracy.ts";
import { classDiverseBatches } from "./parts/class-diverse-batches.ts";
import type { Harmonised } from "./parts/harmonise.ts";
import { membershipGapRule } from "./parts/membership-gap-rule.ts";
import { type Answers, fitMembershipModels, membershipFeeds } from "./parts/membership-models.ts";
import { metaGradients, metaObjectives } from "./parts/meta-unlearning.ts";
import { cycledMinibatches, feedOf, type Minibatch, minibatches } from "./parts/minibatches.ts";
import { wrongLabels } from "./parts/relabelling.ts";
import { utilityGuard } from "./parts/utility-guard.ts";
import type { Workbench } from "./workbench.ts";

/** Parameters up to which derivatives through the virtual step are taken unless a setting says otherwise. */
const SECOND_ORDER_LIMIT = 1_000_000;

/**
 * Learns to unlearn: every step tests what it would do elsewhere before it is taken. Remembering has to hold on retain samples of other
 * classes than the last ones, forgetting before membership models that did not lead to it; see `metaObjectives`. The two gradients are
 * harmonised, g_f losing what works against g_r, and θ ← θ − β·(g_r + g_f), by Adam. Single samples are unlearned until a loss test
 * cannot tell them from held-out ones, classes until hardly any sample of theirs is right.
 *
 * Source: M. H. Huang, L. G. Foo, J. Liu, arXiv 2407.10494 (ECCV 2024). The paper's membership models, the split into one to follow
 * and others to be tested by, and all numbers are not public: these are ours. The membership models are fitted once, on the trained
 * model's answers, and not counted among the evaluations.
 */
export const ltu = defineMethod({
  id: "ltu",
  title: "Virtual steps tested before they are taken (LTU)",
  references: ["arXiv:2407.10494"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget", "retain", "validation"],
  guarantee: "None; what hides the forget samples is tested by membership models that did not lead to it.",
  avoidWhen:
    "There are no held-out samples to learn membership from, or a step of several times the usual cost is too much.",
  isForLabels: true,
  config: z.strictObject({
    /** T, in passes over the forget samples; fewer where the forget samples are hidden earlier. */
    epochs: z.int().min(0).default(8),
    batchSize: z.int().min(1).default(64),
    /** The share of the retain samples that is read, in (0, 1]. */
    retainShare: z.number().positive().max(1).default(0.2),
    /** α: the rate of the virtual step; 0 tests where the model stands, the ablation without meta-optimisation. */
    alpha: z.number().min(0).default(0.01),
    /** β. Adam, since the losses' gradients differ a hundredfold between a sure model and one that has begun to forget. */
    learningRate: z.number().positive().default(3e-4),
    optimizer: optimizerSchema.prefault({ id: "adam" }),
    /** N: batches of retain samples a step is tested on. */
    queries: z.int().min(1).default(3),
    /** How much each of those tests counts in J_r beside the loss on the forget samples with wrong labels. */
    testWeight: z.number().min(0).default(10),
    /** Whether derivatives pass through the virtual step; where left out, up to a million parameters. */
    secondOrder: z.boolean().optional(),
    /** Which gradient gives way in a conflict: the forget samples', both, or none (an ablation). */
    harmony: z.enum(["one-sided", "mutual", "none"]).default("one-sided"),
    /** Weights of J_r and J_f, before the gradients are harmonised. */
    retainWeight: z.number().min(0).default(1),
    forgetWeight: z.number().min(0).default(1),
    /** The share of a class's samples at which it counts as forgotten, in [0, 1). */
    forgotten: z.number().min(0).lt(1).default(0.02),
    /** The least share of the trained model's validation accuracy that is to be left when a class is forgotten. */
    leastUtility: z.number().gt(0).max(1).default(0.5),
  }),
  grid: { learningRate: [1e-4, 1e-3], testWeight: [1, 30], alpha: [1e-3] },
  async *run(request, config) {
    const { workbench, architecture, forget, validation, weights, runtime, signal } = request;
    const { batchSize, queries } = config;
    const key = deriveKey(request.key, "ltu");
    const known = shareOf(request.retain, config.retainShare, deriveKey(key, "retain"));
    yield { type: "phase", name: "Membership models", index: 0, of: 2 };
    const models = await fitMembershipModels(
      {
        members: await answersOf(workbench, weights, joinedSamples(known, forget)),
        others: await answersOf(workbench, weights, validation),
        classes: architecture.classes,
      },
      { key: deriveKey(key, "membership"), runtime, signal },
    );
    yield { type: "phase", name: "Unlearning", index: 1, of: 2 };
    const secondOrder = config.secondOrder ?? parameterCount(architecture.weights) <= SECOND_ORDER_LIMIT;
    let harmonised: Harmonised;
    const step = await workbench.step({
      optimizer: config.optimizer,
      objective: (context) => {
        const given = metaObjectives(context, {
          step: { rate: config.alpha, secondOrder },
          queries,
          testWeight: config.testWeight,
          models,
        });
        const retain = mul(given.retain, config.retainWeight);
        const forget = mul(given.forget, config.forgetWeight);
        harmonised = metaGradients(context, { retain, forget }, config.harmony);
        const { cosine, retainNorm, forgetNorm } = harmonised;
        return {
          loss: add(retain, forget),
          outputs: { cosine, retainNorm, forgetNorm },
          backwardPasses: config.alpha > 0 && secondOrder ? 2 : 1,
        };
      },
      // Two gradients that were weighed against each other in place of the one of their sum.
      transformGradients: (summed) =>
        new Map(
          [...summed.keys()].map((name) => [
            name,
            add(harmonised.retain.get(name) as Value, harmonised.forget.get(name) as Value),
          ]),
        ),
    });
    const fixed = membershipFeeds(models);
    // Of a whole class nothing is to be known in the end; single samples are to be as hard to tell as any of their kind.
    const look =
      request.scope === "class"
        ? untilForgotten(
            utilityGuard({ ...request, leastUtility: config.leastUtility }),
            (model) => accuracyOf(workbench, model, forget, architecture.classes),
            config.forgotten,
          )
        : membershipGapRule(workbench, { forget, validation }, { weights, classes: architecture.classes });
    return yield* iterate(request, {
      epochs: config.epochs,
      look,
      *steps(epoch): Generator<Order> {
        const streams = classDiverseBatches(known, queries, {
          batchSize,
          key: deriveKey(key, "query"),
          epoch,
        });
        const others = cycledMinibatches(forget, { batchSize, key: deriveKey(key, "other"), epoch });
        const draws = deriveKey(key, "draw", epoch);
        let index = 0;
        for (const batch of minibatches(forget, { batchSize, key, epoch })) {
          const draw = deriveKey(draws, index++);
          const feeds: Feeds = {
            forget: {
              ...feedOf(batch),
              wrong: wrongOf(batch, architecture.classes, request.forgetClasses, draw),
            },
            other: feedOf(next(others)),
            ...Object.fromEntries(streams.map((stream, at) => [`query:${at}`, feedOf(next(stream))])),
            support: oneOf(models.length, draw),
            ...fixed,
          };
          yield { step, feeds, learningRate: config.learningRate };
        }
      },
    });
  },
});

/** A look that also ends a loop when hardly any sample of the forgotten classes is right. */
function untilForgotten(
  look: (reached: Reached) => Promise<Look>,
  accuracy: (model: ParameterSet) => Promise<number>,
  forgotten: number,
): (reached: Reached) => Promise<Look> {
  return async (reached) => {
    const seen = await look(reached);
    const right = await accuracy(reached.state.weights);
    if (seen.stop !== undefined || right > forgotten) return seen;
    const reason = `${(100 * right).toFixed(1)} % of the forget samples are right.`;
    return { ...seen, stop: { by: "rule", epoch: reached.epoch, reason } };
  };
}

/** A share of samples drawn without replacement, at least one. */
function shareOf(samples: Samples, share: number, key: Key): Samples {
  const count = Math.max(1, Math.round(share * samples.count));
  return samples.subset(randomStream(key).permutation(samples.count).subarray(0, count));
}

async function answersOf(workbench: Workbench, weights: ParameterSet, samples: Samples): Promise<Answers> {
  return { logits: await workbench.logitsOf(weights, samples), labels: samples.labels };
}

function parameterCount(
  weights: readonly { readonly role: string; readonly shape: readonly number[] }[],
): number {
  return weights.reduce((sum, { role, shape }) => sum + (role === "parameter" ? sizeOf(shape) : 0), 0);
}

/** Labels that are not the true ones, drawn anew at every use, so that none of them is learned instead. */
function wrongOf(batch: Minibatch, classes: number, left: readonly number[], key: Key): BigInt64Array {
  const labels = Int32Array.from(batch.labels, Number);
  return BigInt64Array.from(wrongLabels(labels, classes, deriveKey(key, "label"), left), BigInt);
}

/** A 0/1 vector with a single 1. */
function oneOf(length: number, key: Key): Float32Array {
  const chosen = randomStream(deriveKey(key, "support")).below(length);
  return Float32Array.from({ length }, (_, at) => (at === chosen ? 1 : 0));
}

function next(stream: Generator<Minibatch>): Minibatch {
  return stream.next().value as Minibatch;
}
