import { z } from "zod";
import type { Samples } from "../data/dataset.ts";
import { deriveKey, type Key, randomStream } from "../kernel/key.ts";
import { sizeOf } from "../kernel/layout.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { Architecture } from "../models/architecture.ts";
import { add, mul, neg, reduceMean, relu } from "../onnx/functions/index.ts";
import { crossEntropy, klDivergence, sampleDivergences } from "../training/losses.ts";
import type { ObjectiveContext } from "../training/objective-context.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import type { MethodResult } from "./contract.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, type Look, type Loop, ordersOf, type Reached } from "./iterative.ts";
import { accuracyOf, ofClasses } from "./parts/class-accuracy.ts";
import { fedAs, firstOf, minibatches, type RowTable } from "./parts/minibatches.ts";
import { utilityGuard } from "./parts/utility-guard.ts";
import type { Workbench } from "./workbench.ts";

/** Settings of SCRUB; names as in the paper. */
const scrubSchema = z.strictObject({
  /** E, of which the first `maxEpochs` have a max pass before the min pass. */
  epochs: z.int().min(1).default(3),
  maxEpochs: z.int().min(0).default(2),
  /** α, the weight of the distance to the teacher on retain samples. */
  alpha: z.number().min(0).default(0.001),
  /** γ, the weight of the cross-entropy on retain samples. */
  gamma: z.number().min(0).default(0.99),
  temperature: z.number().positive().default(4),
  /** The paper's 5e-4 is for ten times as many steps in an epoch. */
  learningRate: z.number().positive().default(4e-3),
  /** Epochs after which the rate is multiplied by 0.1. */
  milestones: z.array(z.int().min(1)).default([3, 5, 9]),
  optimizer: optimizerSchema.prefault({ id: "sgd", momentum: 0.9, weightDecay: 5e-4 }),
  retainBatch: z.int().min(1).default(32),
  forgetBatch: z.int().min(1).default(64),
  /** Share of the retain samples that a min pass goes over, others in every epoch; 1 is the paper's whole pass. */
  retainShare: z.number().gt(0).max(1).default(0.5),
  /**
   * Std of noise on the student's parameters before the first step. At the teacher itself the distance has no gradient, so
   * that without noise the first max pass moves nothing but by weight decay; 0 is the paper's loop to the letter.
   */
  startNoise: z.number().min(0).default(1e-4),
  /**
   * Distance in nats, at the temperature, from which on a forget sample is far enough from its teacher and pushed no further; 0 for the
   * paper's −d, which has no bound and lets a few max steps too many end every other knowledge.
   */
  farEnough: z.number().min(0).default(0.3),
  /** The least share of the trained model's validation accuracy that is to be left. */
  leastUtility: z.number().gt(0).max(1).default(0.5),
});

const grid = { farEnough: [1, 0.1], learningRate: [8e-3, 2e-3], forgetBatch: [32], alpha: [0.1] } as const;

/**
 * A student that parts from its teacher, the trained model, on forget samples and stays with it on retain samples:
 *
 *   min over w of  α·d(D_r) + γ·CE(D_r) − d(D_f),   d(x) = T²·KL(softmax(o_teacher/T) ‖ softmax(o_student/T))
 *
 * in turns: a max pass over D_f (minimise −d) in the first `maxEpochs` epochs, a min pass over D_r in each. One optimizer
 * for both, so the run ends with passes that restore the utility.
 *
 * Source: M. Kurmanji, P. Triantafillou, J. Hayes, E. Triantafillou, arXiv 2302.09880 (NeurIPS 2023). Departures:
 * the student's start noise; forget samples are not pushed beyond `farEnough`; min passes over half of the retain samples in small
 * minibatches, the paper's being `retainShare` 1, `retainBatch` 128, `forgetBatch` 32, `learningRate` 5e-4, `farEnough` 0.
 */
export const scrub = defineMethod({
  id: "scrub",
  title: "Student that parts from its teacher on the forget samples (SCRUB)",
  references: ["arXiv:2302.09880"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget", "retain"],
  uses: ["validation"],
  guarantee: "None; the last epochs restore what the retain samples need.",
  avoidWhen: "The error on the forget samples has to be that of retraining and not higher: use `scrub-r`.",
  config: scrubSchema,
  grid,
  async *run(request, config) {
    const { workbench, forget, retain } = request;
    const loop = await scrubLoop(workbench, request, { forget, retain }, config);
    // A trough in the max passes is the method's own; only what is left of it at the end is ruin.
    const look = utilityGuard({ ...request, leastUtility: config.leastUtility, from: config.epochs });
    return yield* iterate(request, { ...loop, epochs: config.epochs, look });
  },
});

/**
 * SCRUB with rewinding: every epoch's model is kept, and the one is returned whose error on the forget samples is nearest to
 * r, the final model's error on held-out samples of the same class mix. For privacy, where an error above that of a model
 * that never saw the samples gives them away.
 *
 * Source: M. Kurmanji et al., arXiv 2302.09880, section on SCRUB+R. Ties go to the later epoch.
 */
export const scrubR = defineMethod({
  id: "scrub-r",
  title: "SCRUB taken back to the epoch that hides the forget samples best (SCRUB+R)",
  references: ["arXiv:2302.09880"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget", "retain", "validation"],
  guarantee: "None; the error on the forget samples is near that on samples never seen.",
  avoidWhen: "There are no held-out samples of the forgotten classes.",
  config: scrubSchema,
  grid,
  async *run(request, config) {
    const { workbench, architecture, forget, retain, validation } = request;
    const loop = await scrubLoop(workbench, request, { forget, retain }, config);
    const errorOn = async (weights: ParameterSet, samples: Samples): Promise<number> =>
      1 - (await accuracyOf(workbench, weights, samples, architecture.classes));
    // Every epoch's weights and forget error ride along in the checkpoint.
    const look = async ({ state, epoch, carried }: Reached): Promise<Look> => {
      const error = await errorOn(state.weights, forget);
      const kept = new Map(carried).set(`${epoch}:error`, Float32Array.of(error));
      for (const [name, values] of state.weights) kept.set(`${epoch}:${name}`, values);
      return { carried: kept, scalars: { forgetError: error } };
    };
    const { weights, carried } = yield* iterate(request, { ...loop, epochs: config.epochs, look });
    const peers = ofClasses(validation, forget.labels);
    const reference = await errorOn(weights, peers.count > 0 ? peers : validation);
    return rewind(architecture, carried, config.epochs, reference);
  },
});

/** The kept epoch whose forget error is nearest to the reference. */
function rewind(
  architecture: Architecture,
  kept: ParameterSet,
  epochs: number,
  reference: number,
): MethodResult {
  const errors = Array.from(
    { length: epochs },
    (_, index) => kept.get(`${index + 1}:error`)?.[0] ?? Number.NaN,
  );
  let best = epochs - 1;
  for (let index = epochs - 1; index >= 0; index--) {
    if (Math.abs((errors[index] as number) - reference) < Math.abs((errors[best] as number) - reference))
      best = index;
  }
  const weights = new Map(
    architecture.weights.map(({ name }) => [name, kept.get(`${best + 1}:${name}`) as Float32Array]),
  );
  const reason = `The model of epoch ${best + 1} of ${epochs} has the forget error nearest to that on held-out samples.`;
  return {
    weights,
    stop: { by: "rule", epoch: best + 1, reason },
    details: { referenceError: reference, forgetError: errors[best] as number },
  };
}

type ScrubConfig = z.output<typeof scrubSchema>;

async function scrubLoop(
  workbench: Workbench,
  { architecture, weights, key: requestKey }: { architecture: Architecture; weights: ParameterSet; key: Key },
  { forget, retain }: { readonly forget: Samples; readonly retain: Samples },
  config: ScrubConfig,
): Promise<Pick<Loop, "start" | "steps">> {
  const key = deriveKey(requestKey, "scrub");
  // Of text every position has a teacher's scores.
  const answerShape = [...architecture.labelShape, architecture.classes];
  // The teacher never changes: its class scores are computed once.
  const teacherOf = async (samples: Samples): Promise<RowTable> => ({
    values: await workbench.logitsOf(weights, samples),
    width: sizeOf(answerShape),
  });
  const [forgetTeacher, retainTeacher] = [await teacherOf(forget), await teacherOf(retain)];
  const pass = (context: ObjectiveContext, batch: string, mode: "training" | "inference") => {
    const { logits } = context.forward(context.features(batch), { mode });
    const teacher = context.tensor(`${batch}:teacher`, [batch, ...answerShape]);
    return { logits, teacher };
  };
  const { optimizer, temperature, farEnough } = config;
  const max = await workbench.step({
    optimizer,
    objective: (context) => {
      // Statistics of the forget samples alone would be wrong for all others.
      const { logits, teacher } = pass(context, "forget", "inference");
      if (farEnough === 0) return { loss: neg(klDivergence(teacher, logits, temperature)) };
      const lacking = relu(add(neg(sampleDivergences(teacher, logits, temperature)), farEnough));
      return { loss: mul(reduceMean(lacking), temperature * temperature) };
    },
  });
  const min = await workbench.step({
    optimizer,
    objective: (context) => {
      const { logits, teacher } = pass(context, "retain", "training");
      const supervised = crossEntropy(logits, context.labels("retain"));
      const distance = klDivergence(teacher, logits, temperature);
      return { loss: add(mul(supervised, config.gamma), mul(distance, config.alpha)) };
    },
  });
  return {
    start: noisy(architecture, weights, config.startNoise, deriveKey(key, "start")),
    *steps(epoch) {
      const passed = config.milestones.filter((milestone) => milestone < epoch + 1).length;
      const learningRate = config.learningRate * 0.1 ** passed;
      if (epoch < config.maxEpochs) {
        const order = { batchSize: config.forgetBatch, key: deriveKey(key, "forget"), epoch };
        yield* ordersOf(
          max,
          fedAs("forget", minibatches(forget, order), { teacher: forgetTeacher }),
          learningRate,
        );
      }
      const order = { batchSize: config.retainBatch, key, epoch };
      const passes = Math.ceil((config.retainShare * retain.count) / config.retainBatch);
      const kept = firstOf(passes, minibatches(retain, order));
      yield* ordersOf(min, fedAs("retain", kept, { teacher: retainTeacher }), learningRate);
    },
  };
}

function noisy(architecture: Architecture, weights: ParameterSet, std: number, key: Key): ParameterSet {
  if (std === 0) return weights;
  return new Map(
    architecture.weights.map(({ name, role }) => {
      const values = weights.get(name) as Float32Array;
      if (role === "buffer") return [name, values] as const;
      const stream = randomStream(deriveKey(key, name));
      return [name, values.map((value) => value + std * stream.normal())] as const;
    }),
  );
}
