import { z } from "zod";
import { gradients } from "../autodiff/gradients.ts";
import { alteredSamples } from "../data/altered.ts";
import { batchesOf } from "../data/batches.ts";
import { throwIfCancelled } from "../kernel/errors.ts";
import { deriveKey } from "../kernel/key.ts";
import { argMax, sign } from "../onnx/functions/index.ts";
import { crossEntropy } from "../training/losses.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import type { RequestWith } from "./contract.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, ordersOf } from "./iterative.ts";
import { fedAs, minibatches } from "./parts/minibatches.ts";
import { signStep } from "./parts/sign-step.ts";
import { utilityGuard } from "./parts/utility-guard.ts";

/** Samples a run of the search for labels. */
const BATCH = 256;

/**
 * Relabels each forget sample with the class just across the boundary of the trained model f_o, and trains on that:
 *
 *   y′ = argmax f_o(x + ε·sign(∂CE(f_o(x), y)/∂x)),   min over w of  CE(f_w(x), y′)
 *
 * so that the regions of the neighbouring classes grow into that of the forgotten one. The labels are found once.
 *
 * Source: M. Chen et al., arXiv 2303.11570 (CVPR 2023), boundary shrink, and the authors' code: one step of ε = 0.1, SGD with momentum
 * 0.9, 10 epochs. Departures: normalisation keeps its statistics, as those of the forget samples alone would be wrong for all others;
 * the watch over validation samples.
 */
export const boundaryShrink = defineMethod({
  id: "boundary-shrink",
  title: "Relabelling with the class across the boundary (boundary shrink)",
  references: ["arXiv:2303.11570"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget"],
  uses: ["validation"],
  guarantee: "None; a sample whose step crosses no boundary is learnt again with its own label.",
  avoidWhen: "Random single samples are to be forgotten: a retrained model would get most of them right.",
  isForLabels: true,
  config: z.strictObject({
    /** ε, in the units of the model's input. */
    epsilon: z.number().positive().default(0.1),
    /** Keep x′ in [0, 1] and at multiples of 1/255, as pixels are. */
    pixels: z.boolean().default(true),
    epochs: z.int().min(1).default(10),
    batchSize: z.int().min(1).default(64),
    learningRate: z.number().positive().default(1e-4),
    optimizer: optimizerSchema.prefault({ id: "sgd", momentum: 0.9 }),
    /** The least share of the trained model's validation accuracy that is to be left. */
    leastUtility: z.number().gt(0).max(1).default(0.5),
  }),
  grid: { learningRate: [3e-5, 3e-4, 1e-3], epsilon: [0.05, 0.2] },
  async *run(request, config) {
    const { workbench, forget } = request;
    const { batchSize, learningRate } = config;
    const key = deriveKey(request.key, "boundary-shrink");
    const labels = await labelsAcross(request, config);
    const crossed = labels.reduce((sum, label, at) => sum + (label === forget.labels[at] ? 0 : 1), 0);
    const relabelled = alteredSamples(forget, { labels });
    const step = await workbench.step({
      optimizer: config.optimizer,
      objective: (context) => {
        const { logits } = context.forward(context.features("forget"), { mode: "inference" });
        return { loss: crossEntropy(logits, context.labels("forget")) };
      },
    });
    const end = yield* iterate(request, {
      epochs: config.epochs,
      steps: (epoch) =>
        ordersOf(step, fedAs("forget", minibatches(relabelled, { batchSize, key, epoch })), learningRate),
      look: utilityGuard({ ...request, leastUtility: config.leastUtility }),
    });
    return { ...end, details: { crossedShare: crossed / forget.count } };
  },
});

/** The trained model's answer a sign step away from each sample. */
async function labelsAcross(
  { workbench, weights, forget, signal }: RequestWith<"forget">,
  config: { readonly epsilon: number; readonly pixels: boolean },
): Promise<Int32Array> {
  const search = await workbench.objective({
    objective: (context) => {
      const x = context.features("forget");
      const { logits } = context.forward(x, { mode: "inference" });
      const loss = crossEntropy(logits, context.labels("forget"));
      const [gradient] = gradients(loss, [x]);
      const near = signStep(x, x, sign(gradient), { ...config, size: config.epsilon });
      // The weights as a set of their own: nothing is differentiated here, so nothing is counted.
      const held = { mode: "inference", weights: context.weightSet("trained") } as const;
      const across = argMax(context.forward(near, held).logits, 1);
      return { loss, outputs: { across }, backwardPasses: 2 };
    },
  });
  const labels = new Int32Array(forget.count);
  let row = 0;
  for (const { features, labels: own } of batchesOf(forget, BATCH)) {
    throwIfCancelled(signal);
    const { outputs } = await search.evaluate(weights, {
      forget: { features, labels: own },
      trained: weights,
    });
    for (const label of outputs.across ?? []) labels[row++] = Number(label);
  }
  return labels;
}
