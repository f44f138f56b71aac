import { z } from "zod";
import { alteredSamples } from "../data/altered.ts";
import type { Samples } from "../data/dataset.ts";
import { samplesOf } from "../data/samples.ts";
import { LetheError } from "../kernel/errors.ts";
import { deriveKey, type Key, randomStream } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { headOf } from "../models/head.ts";
import { add, exp, logSoftmax, mul, reduceSum, sub } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import { featureValue } from "../training/features/feature-value.ts";
import { crossEntropy } from "../training/losses.ts";
import type { ObjectiveContext } from "../training/objective-context.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, type Order } from "./iterative.ts";
import { drawnSamples } from "./parts/drawn-samples.ts";
import { feedOf, minibatches, type RowTable } from "./parts/minibatches.ts";
import { wrongLabels } from "./parts/relabelling.ts";
import type { Workbench } from "./workbench.ts";

/**
 * Makes each forget sample look like a counterfactual input that carries other information, x_c = x_s + U with a retain sample
 * x_s and noise U ~ Uniform[0, noise), while a factual retain sample keeps what it has. In turns, per minibatch:
 *
 *   (a) ½·KL(s(e₀(x_r)) ‖ s(e(x_r))) + ½·KL(s(e₀(x_c)) ‖ s(e(x_f)))      features e, frozen ones e₀, s = softmax, summed
 *   (b) 0.9·CE(o(x_r), y_r) + 0.01·CE(o(x_f), y_c)
 *
 * with an optimizer each. Step (a) moves what computes the features and not the head.
 *
 * Source: S. Shen et al., arXiv 2401.17504 (SDM 2024) and the authors' code: Adam, weight decay 1e-4, minibatches of 32.
 * Departure: `leastSteps`.
 */
export const camu = defineMethod({
  id: "camu",
  title: "Counterfactual features and labels (CaMU)",
  references: ["arXiv:2401.17504"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget", "retain"],
  guarantee: "None; as many retain samples as forget samples are read, no more.",
  avoidWhen: "The model has no feature layer before its last one.",
  isForLabels: true,
  config: z.strictObject({
    epochs: z.int().min(0).default(2),
    /**
     * An epoch is as many passes as make so many minibatches in all: the authors' two epochs over a class are 375 of them, over a few
     * hundred samples they are too few for anything to change. 0 for one pass an epoch.
     */
    leastSteps: z.int().min(0).default(80),
    batchSize: z.int().min(1).default(32),
    /** Rate of the output level, step (b); 0 leaves it out. */
    outputRate: z.number().min(0).default(1e-3),
    /** Rate of the representation level, step (a); 0 leaves it out. */
    featureRate: z.number().min(0).default(4e-4),
    /** The noise's upper end, in the units of the model's input. */
    noise: z.number().min(0).default(1),
    retainWeight: z.number().min(0).default(0.9),
    forgetWeight: z.number().min(0).default(0.01),
    optimizer: optimizerSchema.prefault({ id: "adam", weightDecay: 1e-4 }),
  }),
  grid: { featureRate: [1e-3, 1e-4], outputRate: [3e-4, 3e-3], leastSteps: [160] },
  async *run(request, config) {
    const { workbench, architecture, forget, retain, weights } = request;
    const key = deriveKey(request.key, "camu");
    const { optimizer, batchSize } = config;
    if (retain.count < forget.count) {
      throw new LetheError(
        "data",
        "DATA_RETAIN",
        `Expected at least as many retain as forget samples, got ${retain.count} and ${forget.count}. Use another method.`,
      );
    }
    const { sampled, counterfactual, labels } = pairsOf(
      forget,
      retain,
      architecture.classes,
      config.noise,
      key,
    );
    const retainFeatures = await frozenTable(workbench, weights, sampled);
    const otherFeatures = await frozenTable(workbench, weights, counterfactual);
    const { width } = retainFeatures;
    const { weight, bias } = headOf(architecture);
    const feature = await workbench.step({
      optimizer,
      // The head has no part in the features; frameworks that fill in zero gradients would let weight decay move it.
      trained: (name) => name !== weight.name && name !== bias?.name,
      objective: (context) => ({
        loss: mul(
          add(
            featureDivergence(
              context.tensor("retain:frozen", ["retain", width]),
              featuresOf(context, "retain"),
            ),
            featureDivergence(
              context.tensor("forget:frozen", ["forget", width]),
              featuresOf(context, "forget"),
            ),
          ),
          0.5,
        ),
      }),
    });
    const output = await workbench.step({
      optimizer,
      objective: (context) => {
        const kept = crossEntropy(
          context.forward(context.features("retain")).logits,
          context.labels("retain"),
        );
        const given = crossEntropy(
          context.forward(context.features("forget")).logits,
          context.labels("forget"),
        );
        return { loss: add(mul(kept, config.retainWeight), mul(given, config.forgetWeight)) };
      },
    });
    const relabelled = alteredSamples(forget, { labels });
    const perPass = Math.ceil(forget.count / batchSize);
    // Several passes make an epoch where the set is small, so that checkpoints and looks stay as many as epochs.
    const passes = Math.max(1, Math.ceil(config.leastSteps / (config.epochs * perPass)));
    // No other retain samples than the drawn ones are looked at, by the guard either.
    return yield* iterate(
      { ...request, retain: sampled },
      {
        epochs: config.epochs,
        *steps(epoch): Generator<Order> {
          for (let pass = epoch * passes; pass < (epoch + 1) * passes; pass++) yield* stepsOf(pass);
        },
      },
    );

    /** One pass over the forget samples, each minibatch beside one of retain samples. */
    function* stepsOf(pass: number): Generator<Order> {
      const retained = minibatches(sampled, { batchSize, key: deriveKey(key, "retain"), epoch: pass });
      for (const batch of minibatches(relabelled, { batchSize, key, epoch: pass })) {
        const other = retained.next().value;
        if (!other) return;
        const [given, kept] = [feedOf(batch), feedOf(other)];
        if (config.featureRate > 0) {
          const forget = feedOf(batch, { frozen: otherFeatures });
          const retain = feedOf(other, { frozen: retainFeatures });
          yield {
            step: feature,
            feeds: { forget, retain },
            learningRate: config.featureRate,
            track: "features",
          };
        }
        if (config.outputRate > 0) {
          const feeds = { forget: given, retain: kept };
          yield { step: output, feeds, learningRate: config.outputRate, track: "output" };
        }
      }
    }
  },
});

/** Features of a forward pass with the weights being trained. */
function featuresOf(context: ObjectiveContext, batch: string): Value {
  return featureValue(context.forward(context.features(batch)).logits, context.weights);
}

/** Σ KL(softmax(frozen) ‖ softmax(features)) over the batch: summed, not averaged, as in the authors' code. */
function featureDivergence(frozen: Value, features: Value): Value {
  const [target, prediction] = [logSoftmax(frozen), logSoftmax(features)];
  return reduceSum(mul(exp(target), sub(target, prediction)));
}

/** The trained model's features of samples, computed once. */
async function frozenTable(workbench: Workbench, weights: ParameterSet, samples: Samples): Promise<RowTable> {
  const { rows, size } = await workbench.featuresOf(weights, samples);
  return { values: rows, width: size };
}

/** As many retain samples as there are forget samples, and a counterfactual of each: noise added once, not per epoch. */
function pairsOf(
  forget: Samples,
  retain: Samples,
  classes: number,
  noise: number,
  key: Key,
): { readonly sampled: Samples; readonly counterfactual: Samples; readonly labels: Int32Array } {
  const sampled = drawnSamples(retain, forget.count, deriveKey(key, "sample"));
  const width = retain.featureLength;
  const values = new Float32Array(sampled.count * width);
  sampled.gather(
    Uint32Array.from(sampled.labels, (_, at) => at),
    values,
  );
  const stream = randomStream(deriveKey(key, "noise"));
  for (let at = 0; at < values.length; at++) values[at] = (values[at] as number) + noise * stream.uniform();
  const counterfactual = samplesOf({
    idPrefix: "counterfactual",
    featureShape: retain.featureShape,
    features: { values },
    labels: sampled.labels,
    classCount: sampled.classCount,
  });
  const others = wrongLabels(forget.labels, classes, deriveKey(key, "labels"));
  const labels = forget.labels.map((label, at) => {
    const given = sampled.labels[at] as number;
    return given === label ? (others[at] as number) : given;
  });
  return { sampled, counterfactual, labels };
}
