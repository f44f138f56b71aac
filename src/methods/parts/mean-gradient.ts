import { batchesOf } from "../../data/batches.ts";
import type { Samples } from "../../data/dataset.ts";
import { throwIfCancelled } from "../../kernel/errors.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Architecture } from "../../models/architecture.ts";
import { addScaled } from "../../runtime/linear-algebra/linear-operator.ts";
import { parameterVector, vectorParameters } from "../../training/curvature/parameter-vector.ts";
import { crossEntropy } from "../../training/losses.ts";
import type { Workbench } from "../workbench.ts";

/** Samples a run; what is computed does not depend on it. */
const BATCH = 256;

/** The gradient of the mean loss over samples, by the name of the parameter. */
export type MeanGradient = (weights: ParameterSet, samples: Samples) => Promise<ParameterSet>;

/** Compiles the gradient of the mean cross-entropy over samples, (1/N) Σ ∇ℓₙ, with running statistics held. */
export async function compileMeanGradient(
  workbench: Pick<Workbench, "objective">,
  architecture: Architecture,
  signal: AbortSignal | undefined,
): Promise<MeanGradient> {
  const loss = await workbench.objective({
    gradients: true,
    objective: (context) => {
      const { logits } = context.forward(context.features("data"), { mode: "inference" });
      return { loss: crossEntropy(logits, context.labels("data")) };
    },
  });
  return async (weights, samples) => {
    let sum: Float64Array | undefined;
    for (const { features, labels } of batchesOf(samples, BATCH)) {
      throwIfCancelled(signal);
      const { gradients } = await loss.evaluate(weights, { data: { features, labels } });
      const part = parameterVector(architecture, gradients);
      sum ??= new Float64Array(part.length);
      addScaled(sum, part, features.length / samples.featureLength / samples.count);
    }
    return vectorParameters(architecture, sum ?? new Float64Array());
  };
}
