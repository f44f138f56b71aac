import { gradients } from "../../autodiff/gradients.ts";
import { perSampleGradients } from "../../autodiff/per-sample-gradients.ts";
import { fromGradients, type PerSample } from "../../autodiff/per-sample-rules.ts";
import type { Architecture } from "../../models/architecture.ts";
import { unsqueeze } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import type { RuntimeOptions } from "../../runtime/program.ts";
import { type CompiledValues, compileValues } from "../compiled-values.ts";
import type { ObjectiveContext } from "../objective-context.ts";
import { dataLogits } from "./sample-loss.ts";

/** Values made of the samples' gradients, and how many samples a run may have. */
export interface PerSampleValues extends CompiledValues {
  /** False where an operator has no rule for samples' gradients: a run takes one sample then, and its gradient is the batch's. */
  readonly isBatched: boolean;
}

/** What is differentiated for every sample: rows [batch, …], each of its own sample, and the constant they are pulled back with. */
export interface SampleOutputs {
  readonly outputs: Value;
  readonly seed: Value;
}

/**
 * Compiles values of the gradients of all parameters, sample by sample, in one run over a batch where the architecture allows it.
 *
 * @param differentiate - what has the gradients, from the logits [batch, classes]
 * @param define - named values of the gradients, which come in the order of the parameters
 * @param isBatched - false takes samples one by one in any case
 */
export async function compilePerSample(
  architecture: Architecture,
  differentiate: (logits: Value, context: ObjectiveContext) => SampleOutputs,
  define: (samples: ReadonlyMap<string, PerSample>) => Readonly<Record<string, Value>>,
  runtime: RuntimeOptions & { readonly isBatched?: boolean } = {},
): Promise<PerSampleValues> {
  const { isBatched: wanted = true, ...rest } = runtime;
  let isBatched = false;
  const values = await compileValues(
    architecture,
    (context) => {
      const parameters = [...context.parameters.values()];
      const { outputs, seed } = differentiate(dataLogits(context), context);
      const batched = wanted ? perSampleGradients(outputs, seed, parameters) : undefined;
      isBatched = batched !== undefined;
      const found = batched ?? oneByOne(outputs, seed, parameters);
      const names = [...context.parameters.keys()];
      return define(new Map(names.map((name, index) => [name, found[index] as PerSample])));
    },
    rest,
  );
  return { ...values, isBatched };
}

/** The gradient of a batch of one. */
function oneByOne(outputs: Value, seed: Value, parameters: readonly Value[]): PerSample[] {
  return gradients(outputs, parameters, seed).map((gradient) => fromGradients(unsqueeze(gradient, [0])));
}
