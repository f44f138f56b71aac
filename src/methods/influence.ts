import { z } from "zod";
import { batchesOf } from "../data/batches.ts";
import { throwIfCancelled } from "../kernel/errors.ts";
import { deriveKey } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { addScaled, norm } from "../runtime/linear-algebra/linear-operator.ts";
import { parameterVector, vectorParameters } from "../training/curvature/parameter-vector.ts";
import { defineMethod } from "./define-method.ts";
import { drawnSamples } from "./parts/drawn-samples.ts";
import { compileMeanGradient } from "./parts/mean-gradient.ts";
import { woodFisher } from "./parts/wood-fisher.ts";

/** Samples whose gradients are taken in one run. */
const BATCH = 50;

/**
 * One step to where the influence function puts the model without the forget samples:
 *
 *   w ← w + α·F⁻¹·v,   v = n_f/(n_f + n_r)·(∇L(D_f) − ∇L(D_r))
 *
 * with L the mean cross-entropy and F⁻¹v by the WoodFisher recursion over single retain samples, in an order drawn from the key.
 *
 * Source: Z. Izzo et al., arXiv 2002.10077; P. Koh, P. Liang, arXiv 1703.04730; as a baseline J. Jia et al., arXiv 2304.04934 (IU), with
 * α swept from 1 to 20 and 1000 samples.
 */
export const influence = defineMethod({
  id: "influence",
  title: "One step by the influence function (WoodFisher)",
  references: ["arXiv:2304.04934", "arXiv:2004.14340"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget", "retain"],
  guarantee: "None: first order around a model that is at no minimum, with a curvature that is a guess.",
  avoidWhen: "Many samples are to be forgotten: the step is long, and nothing repairs what it harms.",
  config: z.strictObject({
    /** α */
    alpha: z.number().positive().default(2),
    /** N, retain samples of the recursion; all where there are fewer. */
    samples: z.int().min(1).default(1000),
  }),
  grid: { alpha: [0.5, 1, 5, 10, 20] },
  async *run(request, { alpha, samples }) {
    const { workbench, architecture, forget, retain, weights, signal } = request;
    const gradientOf = await compileMeanGradient(workbench, architecture, signal);
    const share = forget.count / (forget.count + retain.count);
    const right = parameterVector(architecture, await gradientOf(weights, forget));
    addScaled(right, parameterVector(architecture, await gradientOf(weights, retain)), -1);
    const vector = right.map((value) => share * value);
    const count = Math.min(samples, retain.count);
    const key = deriveKey(request.key, "influence");
    const recursion = woodFisher(vector, count);
    let taken = 0;
    for (const batch of batchesOf(drawnSamples(retain, count, deriveKey(key, "order")), BATCH)) {
      throwIfCancelled(signal);
      for (const gradient of await workbench.sampleGradientsOf(weights, batch)) {
        recursion.add(gradient);
        taken++;
      }
      yield { type: "step", step: taken, of: count, scalars: { norm: norm(recursion.solution) } };
    }
    return {
      weights: moved(weights, vectorParameters(architecture, recursion.solution), alpha),
      details: { stepNorm: alpha * norm(recursion.solution), samples: count },
    };
  },
});

function moved(weights: ParameterSet, step: ParameterSet, factor: number): ParameterSet {
  return new Map(
    [...weights].map(([name, values]) => {
      const own = step.get(name);
      if (own === undefined) return [name, values];
      return [name, values.map((value, at) => value + factor * (own[at] as number))];
    }),
  );
}
