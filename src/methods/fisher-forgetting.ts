import { z } from "zod";
import { batchesOf } from "../data/batches.ts";
import { throwIfCancelled } from "../kernel/errors.ts";
import type { Progress } from "../kernel/events.ts";
import { deriveKey, randomStream } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { reduceMean, softmax } from "../onnx/functions/index.ts";
import { parameterVector, vectorParameters } from "../training/curvature/parameter-vector.ts";
import { crossEntropy } from "../training/losses.ts";
import type { RequestWith } from "./contract.ts";
import { defineMethod } from "./define-method.ts";
import { drawnSamples } from "./parts/drawn-samples.ts";
import { fisherNoise } from "./parts/fisher-noise.ts";

/** Minibatches between two `step` events: a bar that moves, not a flood. */
const EVENT_EVERY = 10;

/**
 * Adds noise where the retain samples do not mind, w ← μ + √v·z with z ~ N(0, I), μ = w, v = α/F, and F the diagonal of the Fisher
 * information over the retain samples:
 *
 *   F = mean over minibatches b of  Σ_y p̄_y(b)·(∂CE(b, y)/∂w)²,   p̄ the mean probability of class y in the minibatch
 *
 * With minibatches of one this is the Fisher information itself. The noise's caps are those of {@link fisherNoise}.
 *
 * Source: A. Golatkar, A. Achille, S. Soatto, arXiv 1911.04933 (CVPR 2020); with minibatches of 32 as in the code of J. Jia et al.,
 * arXiv 2304.04934 (FF), where α is swept from 1e-9 to 1e-6. Departure: a part of the retain samples; with all of them, a backward
 * pass for every class makes it slower than retraining small networks.
 */
export const fisherForgetting = defineMethod({
  id: "fisher-forgetting",
  title: "Noise by the inverse Fisher information (Fisher forgetting)",
  references: ["arXiv:1911.04933", "arXiv:2304.04934"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["retain"],
  guarantee:
    "None as run here: the paper's bound on what is left holds for noise that ruins a network of this size.",
  avoidWhen: "Single samples are to be forgotten, or the model has to keep its accuracy to the point.",
  config: z.strictObject({
    alpha: z.number().positive().default(1e-6),
    batchSize: z.int().min(1).default(32),
    /** Retain samples that F is taken over, drawn from the key; all where there are fewer. */
    samples: z.int().min(1).default(2000),
  }),
  grid: { alpha: [1e-8, 1e-7, 1e-5] },
  async *run(request, { alpha, batchSize, samples }) {
    const { architecture, forgetClasses, weights } = request;
    const key = deriveKey(request.key, "fisher-forgetting");
    const retain = drawnSamples(request.retain, samples, deriveKey(key, "samples"));
    const fisher = yield* batchFisher({ ...request, retain }, batchSize);
    const { mean, variance } = fisherNoise(architecture, weights, fisher, { alpha, forgetClasses });
    const noisy = [...weights].map(([name, values]) => {
      const [centre, width] = [mean.get(name), variance.get(name)];
      if (centre === undefined || width === undefined) return [name, values] as const;
      const stream = randomStream(deriveKey(key, "noise", name));
      const drawn = centre.map((value, at) => value + Math.sqrt(width[at] as number) * stream.normal());
      return [name, drawn] as const;
    });
    return { weights: new Map(noisy) };
  },
});

async function* batchFisher(
  { workbench, architecture, weights, retain, signal }: RequestWith<"retain">,
  batchSize: number,
): Progress<ParameterSet> {
  const { classes } = architecture;
  const loss = await workbench.objective({
    gradients: true,
    objective: (context) => {
      const { logits } = context.forward(context.features("retain"), { mode: "inference" });
      const probabilities = reduceMean(softmax(logits), { axes: [0] });
      return { loss: crossEntropy(logits, context.labels("retain")), outputs: { probabilities } };
    },
  });
  const of = Math.ceil(retain.count / batchSize);
  const { length } = parameterVector(architecture, weights);
  const sum = new Float64Array(length);
  let done = 0;
  for (const { features, labels } of batchesOf(retain, batchSize)) {
    throwIfCancelled(signal);
    for (let label = 0; label < classes; label++) {
      const given = new BigInt64Array(labels.length).fill(BigInt(label));
      const { gradients, outputs } = await loss.evaluate(weights, { retain: { features, labels: given } });
      const weight = Number(outputs.probabilities?.[label]) / of;
      const gradient = parameterVector(architecture, gradients);
      for (let at = 0; at < length; at++)
        sum[at] = (sum[at] as number) + weight * (gradient[at] as number) ** 2;
    }
    done++;
    if (done % EVENT_EVERY === 0 || done === of) yield { type: "step", step: done, of, scalars: {} };
  }
  return vectorParameters(architecture, sum);
}
