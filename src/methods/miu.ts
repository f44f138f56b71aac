import { z } from "zod";
import { joinedSamples } from "../data/joined.ts";
import { deriveKey, type Key, randomStream } from "../kernel/key.ts";
import { initialWeights } from "../models/architecture.ts";
import { headOf } from "../models/head.ts";
import { add, mul, neg, square, sub } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import { featureValue } from "../training/features/feature-value.ts";
import type { Feeds } from "../training/feeds.ts";
import { clippedToNorm } from "../training/gradient-transforms.ts";
import { crossEntropy } from "../training/losses.ts";
import type { ObjectiveContext } from "../training/objective-context.ts";
import type { Objective } from "../training/objective-graph.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import { learningRateFactor } from "../training/schedules.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, ordersOf } from "./iterative.ts";
import { drawByGroup, groupWeights } from "./parts/group-draw.ts";
import { groupIndices } from "./parts/group-indices.ts";
import { type MineCritic, mineCritic } from "./parts/mine-critic.ts";
import {
  cycledMinibatches,
  fedAs,
  feedOf,
  firstOf,
  type Minibatch,
  minibatches,
  orderedMinibatches,
  type RowTable,
} from "./parts/minibatches.ts";

/**
 * Takes the group out of the forget samples' features, and keeps the retain samples' features as telling of their group as they
 * were. Two critics estimate the mutual information I between penultimate features z and groups g = (label, attribute values):
 * T_u for the model being unlearned, T_o for the trained one. In every epoch
 *
 *   1. T_u and T_o ascend their I on minibatches of D_f ∪ D_r;
 *   2. in the first `forgettingEpochs`, min over θ of I_{T_u}(z_u; g) on D_f;
 *   3. min over θ of CE(D_r) + λ·(I_{T_u}(z_u; g) − I_{T_o}(z_o; g))² on retain samples drawn anew by group (REWEIGHT).
 *
 * One optimizer for both passes over θ; the rate falls by epochs along a cosine.
 *
 * Source: T. De Min et al., arXiv 2503.09330 (TMLR 2025), MIU, and the authors' code. Departures: normalisations keep their
 * statistics on forget samples, which are of few groups; T_o is tuned on the trained model's features, as in the paper's text
 * and not as in the code (`criticOriginalFeatures`); groups nobody belongs to do not count; gradients of the model are limited (\`clipNorm\`).
 */
export const miu = defineMethod({
  id: "miu",
  title: "Mutual information between features and groups (MIU)",
  references: ["arXiv:2503.09330"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget", "retain"],
  guarantee:
    "None; the groups' shares and their information in the features are kept near the trained model's.",
  avoidWhen: "Requests come evenly from all groups, or the model has no feature layer before its last one.",
  isForLabels: true,
  config: z.strictObject({
    epochs: z.int().min(0).default(10),
    /** The first so many epochs have a pass over the forget samples; 0 for the ablation without. */
    forgettingEpochs: z.int().min(0).default(5),
    batchSize: z.int().min(1).default(32),
    learningRate: z.number().positive().default(0.01),
    optimizer: optimizerSchema.prefault({ id: "sgd", momentum: 0.9, weightDecay: 1e-4 }),
    /**
     * The gradient of each step of the model is shortened to this norm. The information that the forgetting pass minimises has no
     * lower bound: without a limit a few steps may leave the numbers, and rounding decides which.
     */
    clipNorm: z.number().positive().default(10),
    /** λ, the weight of the alignment with the trained model's information; 0 for the ablation without. */
    lambda: z.number().min(0).default(1),
    criticRate: z.number().positive().default(0.01),
    criticOptimizer: optimizerSchema.prefault({ id: "sgd", momentum: 0.9 }),
    /** Width of the critics' hidden layer. */
    criticWidth: z.int().min(1).default(512),
    /** Minibatches the critics are tuned on before the first epoch, and before each later one. */
    firstTuning: z.int().min(0).default(100),
    tuning: z.int().min(0).default(10),
    /** Whose features T_o is tuned on: the trained model's, or those of the model being unlearned as the authors' code does. */
    criticOriginalFeatures: z.enum(["original", "unlearned"]).default("original"),
    /** How g̃ is drawn: uniformly among groups as the authors' code does, or as a permutation of the minibatch's own. */
    marginal: z.enum(["uniform", "permute"]).default("uniform"),
    /** Whether retain samples are drawn by group; false for the ablation without. */
    reweight: z.boolean().default(true),
    /** The attributes that make groups together with the label; every attribute of the data when left out. */
    attributes: z.array(z.string()).optional(),
  }),
  grid: { learningRate: [0.001, 0.1], lambda: [10], epochs: [5] },
  async *run(request, config) {
    const { workbench, architecture, forget, retain, weights } = request;
    const { batchSize, optimizer, epochs } = config;
    const key = deriveKey(request.key, "miu");
    const names = config.attributes ?? [...forget.groupNames];
    const { groups, forgetGroups, retainGroups } = groupIndices(forget, retain, names);
    const weighing = groupWeights(groups, forgetGroups, retainGroups);
    if (config.reweight && weighing.gone > 0) {
      const { gone } = weighing;
      const message = `${gone} of ${groups} groups have no retain samples left and cannot be weighted.`;
      yield { type: "notice", code: "GROUP_GONE", message, details: { gone, groups } };
    }

    const all = joinedSamples(forget, retain);
    const allGroups = Float32Array.from([...forgetGroups, ...retainGroups]);
    const original = await workbench.featuresOf(weights, all);
    const { size: width } = original;
    const sizes = { width, groups, hidden: config.criticWidth };
    const [ofUnlearned, ofOriginal] = [mineCritic("miu-unlearned", sizes), mineCritic("miu-original", sizes)];
    const critics = { ...architecture, weights: [...ofUnlearned.weights, ...ofOriginal.weights] };
    // The critics ride in the model's state from step to step and into checkpoints.
    const joint = { ...architecture, weights: [...architecture.weights, ...critics.weights] };
    const own = new Set(architecture.weights.map(({ name }) => name));
    const head = headOf(architecture);
    const ofHead = new Set([head.weight.name, head.bias?.name]);

    const tune = await workbench.step(
      {
        optimizer: config.criticOptimizer,
        trained: (name) => !own.has(name),
        objective: (context) => {
          const { logits } = context.forward(context.features("all"), { mode: "inference" });
          const current = featureValue(logits, context.weights);
          const first =
            config.criticOriginalFeatures === "original" ? originalFeatures(context, "all", width) : current;
          const estimate = estimator(context, "all");
          const sum = add(estimate.of(ofUnlearned, current), estimate.of(ofOriginal, first));
          return { loss: neg(sum), nextBuffers: estimate.nextBuffers };
        },
      },
      joint,
    );
    const forgetting = await workbench.step(
      {
        optimizer,
        // The head has no part in the features, and weight decay alone must not move it.
        trained: (name) => own.has(name) && !ofHead.has(name),
        transformGradients: clippedToNorm(config.clipNorm),
        objective: (context) => {
          // Statistics of the forget samples alone would be wrong for all others.
          const { logits } = context.forward(context.features("forget"), { mode: "inference" });
          const estimate = estimator(context, "forget");
          const loss = estimate.of(ofUnlearned, featureValue(logits, context.weights));
          return { loss, nextBuffers: estimate.nextBuffers };
        },
      },
      joint,
    );
    const retaining = await workbench.step(
      {
        optimizer,
        trained: (name) => own.has(name),
        transformGradients: clippedToNorm(config.clipNorm),
        objective: (context): Objective => {
          const { logits } = context.forward(context.features("retain"));
          const supervised = crossEntropy(logits, context.labels("retain"));
          if (config.lambda === 0) return { loss: supervised };
          const estimate = estimator(context, "retain");
          const difference = sub(
            estimate.of(ofUnlearned, featureValue(logits, context.weights)),
            estimate.of(ofOriginal, originalFeatures(context, "retain", width)),
          );
          const loss = add(supervised, mul(square(difference), config.lambda));
          return { loss, nextBuffers: estimate.nextBuffers };
        },
      },
      joint,
    );

    const tables = (from: number, to = all.count): Tables => ({
      group: { values: allGroups.subarray(from, to), width: 1 },
      original: { values: original.rows.subarray(from * width, to * width), width },
    });
    const [ofAll, ofForget, ofRetain] = [tables(0), tables(0, forget.count), tables(forget.count)];
    const draw = { groups, marginal: config.marginal };
    const needsOriginal = config.criticOriginalFeatures === "original";
    const end = yield* iterate(request, {
      epochs,
      start: new Map([...weights, ...initialWeights(critics, deriveKey(key, "critics"))]),
      *steps(epoch) {
        const order = (phase: string) => ({ batchSize, key: deriveKey(key, phase), epoch });
        const pairs = (phase: string) => ({ ...draw, key: deriveKey(key, phase, "others", epoch) });
        // With the last epoch the rate is near zero and not at it.
        const learningRate = config.learningRate * learningRateFactor(COSINE, epoch, epochs + 1);
        const tuned = firstOf(
          epoch === 0 ? config.firstTuning : config.tuning,
          cycledMinibatches(all, order("tune")),
        );
        const seen = needsOriginal ? ofAll : { group: ofAll.group };
        yield* ordersOf(tune, paired("all", tuned, seen, pairs("tune")), config.criticRate, "critics");
        if (epoch < config.forgettingEpochs) {
          const batches = minibatches(forget, order("forget"));
          const feeds = paired("forget", batches, { group: ofForget.group }, pairs("forget"));
          yield* ordersOf(forgetting, feeds, learningRate);
        }
        const kept = config.reweight
          ? orderedMinibatches(
              retain,
              drawByGroup(retainGroups, weighing.weights, deriveKey(key, "reweight", epoch)),
              batchSize,
            )
          : minibatches(retain, order("retain"));
        const feeds =
          config.lambda === 0 ? fedAs("retain", kept) : paired("retain", kept, ofRetain, pairs("retain"));
        yield* ordersOf(retaining, feeds, learningRate);
      },
    });
    return {
      weights: new Map([...end.weights].filter(([name]) => own.has(name))),
      stop: end.stop,
      details: { groups },
    };
  },
});

const COSINE = { id: "cosine", end: 0 } as const;

/** Rows fed beside the features: a sample's group, and its features in the trained model. */
interface Tables {
  readonly group: RowTable;
  readonly original: RowTable;
}

/** Estimates of one batch's information, with what they make of the critics' running means. */
function estimator(context: ObjectiveContext, batch: string) {
  const nextBuffers = new Map<string, Value>();
  const weightOf = (name: string): Value => context.weights.get(name) as Value;
  const [own, other] = ["group", "other"].map((name) => context.tensor(`${batch}:${name}`, [batch], "int64"));
  return {
    nextBuffers,
    of: (critic: MineCritic, features: Value): Value =>
      critic.information(features, own as Value, other as Value, { weightOf, nextBuffers }),
  };
}

function originalFeatures(context: ObjectiveContext, batch: string, width: number): Value {
  return context.tensor(`${batch}:original`, [batch, width]);
}

/** Minibatches as feeds, each sample's group beside another one, g̃, that was drawn without a look at the sample. */
function* paired(
  name: string,
  batches: Iterable<Minibatch>,
  tables: { readonly group: RowTable; readonly original?: RowTable },
  draw: { readonly groups: number; readonly marginal: "uniform" | "permute"; readonly key: Key },
): Generator<Feeds> {
  const stream = randomStream(draw.key);
  const { values } = tables.group;
  for (const batch of batches) {
    const { positions } = batch;
    const others =
      draw.marginal === "uniform"
        ? positions.map(() => stream.below(draw.groups))
        : stream.permutation(positions.length).map((row) => values[positions[row] as number] as number);
    yield { [name]: { ...feedOf(batch, { ...tables }), other: BigInt64Array.from(others, BigInt) } };
  }
}
