import { z } from "zod";
import { gradients } from "../autodiff/gradients.ts";
import { deriveKey, type RandomStream, randomStream } from "../kernel/key.ts";
import { abs, add, argMax, mul, oneHot, reduceMean, sign, softmax, sub } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import { crossEntropy, softCrossEntropy } from "../training/losses.ts";
import type { ObjectiveContext } from "../training/objective-context.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, type Order } from "./iterative.ts";
import { cycledMinibatches, feedOf, minibatches } from "./parts/minibatches.ts";
import { signStep } from "./parts/sign-step.ts";

const schema = z
  .strictObject({
    /** ε, how far x′ may lie from x in any input. */
    epsilon: z.number().positive().default(0.1),
    /** γ, the noise on the gradient before its sign is taken. */
    noise: z.number().min(0).default(1e-4),
    /** Take γ relative to the mean size of the gradient, which otherwise falls with the batch size. */
    relativeNoise: z.boolean().default(false),
    distribution: z.enum(["normal", "cauchy", "laplace", "uniform"]).default("normal"),
    /** λ, the pull of x′ back to x; needs two steps or more. */
    closeness: z.number().min(0).default(0),
    closenessSchedule: z.enum(["constant", "inverse", "exponential", "linear"]).default("constant"),
    /** Sign steps of ε/steps each. */
    steps: z.int().min(1).default(1),
    /** ρ, the weight of the retain samples; 0 reads none. */
    retention: z.number().min(0).default(0),
    labels: z.enum(["hard", "soft"]).default("hard"),
    /** Take the likeliest wrong class where x′ did not cross a boundary: such samples are reinforced otherwise. */
    secondBest: z.boolean().default(true),
    /** Keep x′ in [0, 1] and at multiples of 1/255, as pixels are. */
    pixels: z.boolean().default(true),
    epochs: z.int().min(1).default(5),
    batchSize: z.int().min(1).default(64),
    learningRate: z.number().positive().default(3e-4),
    optimizer: optimizerSchema.prefault({ id: "sgd", momentum: 0.9 }),
  })
  .refine(({ closeness, steps }) => closeness === 0 || steps > 1, {
    path: ["steps"],
    message: "Closeness pulls x′ back to x, which it equals in the first step: set `steps` to 2 or more.",
  });

/**
 * Relabels each forget sample with the class just across the decision boundary of the trained model f_o, found by noisy sign
 * steps, and trains on that:
 *
 *   x′ ← clip(x′ + (ε/K)·sign(∂CE(f_o(x′), y)/∂x′ + λ(x − x′) + γz)),   y′ = argmax f_o(x′)
 *   min over w of  CE(f_w(x), y′) + ρ·CE(f_w(x_r), y_r)
 *
 * γ = λ = ρ = 0 is boundary shrink, with the labels found anew in every step.
 *
 * Source: G. Nahass et al., arXiv 2505.21872. Departures: the closeness term is written so that it pulls towards x, as the bilevel
 * objective asks; soft labels are probabilities, not raw scores; the likeliest wrong class in place of the own one where no boundary was
 * crossed (`secondBest`), since a third of a class learnt again with its own label is not forgotten.
 */
export const perturbedSign = defineMethod({
  id: "perturbed-sign",
  title: "Relabelling across the boundary by perturbed sign gradients",
  references: ["arXiv:2505.21872"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget"],
  uses: ["retain"],
  guarantee: "None.",
  avoidWhen: "Random single samples are to be forgotten: a retrained model would get most of them right.",
  isForLabels: true,
  config: schema,
  grid: { learningRate: [1e-4, 1e-3], noise: [0, 0.01], epsilon: [0.2] },
  async *run(request, config) {
    const { workbench, architecture, forget, retain, weights } = request;
    const key = deriveKey(request.key, "perturbed-sign");
    const { batchSize, retention } = config;
    const withRetention = retention > 0 && retain !== undefined;
    const step = await workbench.step({
      optimizer: config.optimizer,
      objective: (context) => {
        const { target, moved } = relabelled(context, config);
        const { logits } = context.forward(context.features("forget"), { mode: "inference" });
        const given = softCrossEntropy(logits, target);
        const outputs = { moved };
        if (!withRetention) return { loss: given, outputs, backwardPasses: 1 + config.steps };
        const kept = crossEntropy(
          context.forward(context.features("retain")).logits,
          context.labels("retain"),
        );
        return { loss: add(given, mul(kept, retention)), outputs, backwardPasses: 1 + config.steps };
      },
    });
    const perEpoch = Math.ceil(forget.count / batchSize);
    const end = yield* iterate(request, {
      epochs: config.epochs,
      *steps(epoch): Generator<Order> {
        const kept = withRetention ? cycledMinibatches(retain, { batchSize, key, epoch }) : undefined;
        let index = epoch * perEpoch;
        for (const batch of minibatches(forget, { batchSize, key, epoch })) {
          index++;
          const stream = randomStream(deriveKey(key, "noise", index));
          const noise = Float32Array.from(batch.features, () => draw(stream, config.distribution));
          const other = kept?.next().value;
          yield {
            step,
            learningRate: config.learningRate,
            feeds: {
              forget: { ...feedOf(batch), noise },
              original: weights,
              closeness: closenessAt(config, index, config.epochs * perEpoch),
              ...(other ? { retain: feedOf(other) } : {}),
            },
          };
        }
      },
    });
    return { ...end, details: { classes: architecture.classes, steps: config.steps } };
  },
});

/** Targets of the forget batch [forget, classes], and the share of its samples whose class the steps changed. */
function relabelled(
  context: ObjectiveContext,
  config: z.output<typeof schema>,
): { readonly target: Value; readonly moved: Value } {
  const { classes } = context.architecture;
  const x = context.features("forget");
  const labels = context.labels("forget");
  const original = context.weightSet("original");
  const scores = (input: Value): Value =>
    context.forward(input, { mode: "inference", weights: original }).logits;
  const z = context.tensor("forget:noise", ["forget", ...context.architecture.inputShape]);
  const lambda = context.scalar("closeness");
  let near = x;
  for (let step = 0; step < config.steps; step++) {
    const [gradient] = gradients(crossEntropy(scores(near), labels), [near]);
    const size = config.relativeNoise ? mul(reduceMean(abs(gradient)), config.noise) : config.noise;
    const pulled = step === 0 ? gradient : add(gradient, mul(sub(x, near), lambda));
    const direction = sign(add(pulled, mul(z, size)));
    near = signStep(x, near, direction, { ...config, size: config.epsilon / config.steps });
  }
  const logits = scores(near);
  const own = oneHot(labels, classes);
  const hard = oneHot(argMax(logits, 1), classes);
  const moved = sub(1, reduceMean(mul(hard, mul(own, classes))));
  if (config.labels === "soft") return { target: softmax(logits), moved };
  // Far below any score, so that the true class is never the largest.
  const EXCLUDED = 1e6;
  const second = oneHot(argMax(sub(logits, mul(own, EXCLUDED)), 1), classes);
  return { target: config.secondBest ? second : hard, moved };
}

function draw(stream: RandomStream, distribution: z.output<typeof schema>["distribution"]): number {
  const centred = (): number => stream.uniform() - 0.5;
  switch (distribution) {
    case "normal":
      return stream.normal();
    case "uniform":
      return 2 * centred();
    case "cauchy":
      return Math.tan(Math.PI * centred());
    case "laplace": {
      const u = centred();
      return -Math.sign(u) * Math.log1p(-2 * Math.abs(u));
    }
    default:
      return distribution satisfies never;
  }
}

/** λ_t at step t of T, from 1. */
function closenessAt(config: z.output<typeof schema>, step: number, of: number): number {
  const { closeness } = config;
  switch (config.closenessSchedule) {
    case "constant":
      return closeness;
    case "inverse":
      return closeness / step;
    case "exponential":
      return closeness * Math.exp(-0.01 * step);
    case "linear":
      return closeness * (1 - step / of);
    default:
      return config.closenessSchedule satisfies never;
  }
}
