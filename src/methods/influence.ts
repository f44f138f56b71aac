import { z } from "zod";
import { batchesOf } from "../data/batches.ts";
import type { Samples } from "../data/dataset.ts";
import { throwIfCancelled } from "../kernel/errors.ts";
import type { Progress } from "../kernel/events.ts";
import { deriveKey } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { conjugateGradient } from "../runtime/linear-algebra/conjugate-gradient.ts";
import { addScaled, norm } from "../runtime/linear-algebra/linear-operator.ts";
import { parameterVector, vectorParameters } from "../training/curvature/parameter-vector.ts";
import type { RequestWith } from "./contract.ts";
import { defineMethod } from "./define-method.ts";
import { drawnSamples } from "./parts/drawn-samples.ts";
import { compileMeanGradient } from "./parts/mean-gradient.ts";
import { woodFisher } from "./parts/wood-fisher.ts";

/** Samples whose gradients are taken in one run. */
const BATCH = 50;
/** Where conjugate gradients stop: products are of single precision. */
const TOLERANCE = 1e-5;

/**
 * One step to where the influence function puts the model without the forget samples:
 *
 *   w ← w + α·F⁻¹·v,   v = n_f/(n_f + n_r)·(∇L(D_f) − ∇L(D_r))
 *
 * with L the mean cross-entropy, F the identity plus the mean of g·gᵀ over single retain samples' gradients, and F⁻¹v by the WoodFisher
 * recursion over them, in an order drawn from the key.
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
  isForLabels: true,
  config: z.strictObject({
    /** α */
    alpha: z.number().positive().default(10),
    /** N, retain samples that F is taken over; all where there are fewer. */
    samples: z.int().min(1).default(1000),
    /** The published recursion, or conjugate gradients on (F + damping·I), which are exact in the end. */
    solver: z.enum(["wood-fisher", "conjugate-gradient"]).default("wood-fisher"),
    /** For conjugate gradients; the recursion's own is 1. */
    damping: z.number().positive().default(1),
    iterations: z.int().min(1).default(20),
  }),
  grid: { alpha: [20, 40, 5, 2] },
  async *run(request, config) {
    const { alpha, samples } = config;
    const { workbench, architecture, forget, retain, weights, signal } = request;
    const gradientOf = await compileMeanGradient(workbench, architecture, signal);
    const share = forget.count / (forget.count + retain.count);
    const right = parameterVector(architecture, await gradientOf(weights, forget));
    addScaled(right, parameterVector(architecture, await gradientOf(weights, retain)), -1);
    const vector = right.map((value) => share * value);
    const key = deriveKey(request.key, "influence");
    const drawn = drawnSamples(retain, samples, deriveKey(key, "order"));
    const solution =
      config.solver === "wood-fisher"
        ? yield* byRecursion(request, drawn, vector)
        : await byConjugateGradient(request, drawn, vector, config);
    return {
      weights: moved(weights, vectorParameters(architecture, solution), alpha),
      details: { stepNorm: alpha * norm(solution), samples: drawn.count },
    };
  },
});

async function* byRecursion(
  { workbench, weights, signal }: RequestWith<never>,
  samples: Samples,
  vector: Float64Array,
): Progress<Float64Array> {
  const recursion = woodFisher(vector, samples.count);
  let taken = 0;
  for (const batch of batchesOf(samples, BATCH)) {
    throwIfCancelled(signal);
    for (const gradient of await workbench.sampleGradientsOf(weights, batch)) {
      recursion.add(gradient);
      taken++;
    }
    yield { type: "step", step: taken, of: samples.count, scalars: { norm: norm(recursion.solution) } };
  }
  return recursion.solution;
}

async function byConjugateGradient(
  { workbench, weights, signal }: RequestWith<never>,
  samples: Samples,
  vector: Float64Array,
  { damping, iterations }: { readonly damping: number; readonly iterations: number },
): Promise<Float64Array> {
  const operator = await workbench.fisherOperatorOf(weights, samples);
  const { solution } = await conjugateGradient(operator, vector, {
    damping,
    tolerance: TOLERANCE,
    maxIterations: iterations,
    ...(signal === undefined ? {} : { signal }),
  });
  return solution;
}

function moved(weights: ParameterSet, step: ParameterSet, factor: number): ParameterSet {
  return new Map(
    [...weights].map(([name, values]) => {
      const own = step.get(name);
      if (own === undefined) return [name, values];
      return [name, values.map((value, at) => value + factor * (own[at] as number))];
    }),
  );
}
