import { jacobianVectorProduct } from "../../autodiff/jacobian-vector-product.ts";
import { batchesOf } from "../../data/batches.ts";
import type { Samples } from "../../data/dataset.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Architecture } from "../../models/architecture.ts";
import type { Value } from "../../onnx/ir.ts";
import type { RuntimeOptions } from "../../runtime/program.ts";
import { compileValues } from "../compiled-values.ts";
import { crossEntropies } from "../losses.ts";
import { DATA, dataLogits, type SampleLoss } from "./sample-loss.ts";

/** Dot products of the samples' gradients with one direction. */
export interface SampleSlopes extends AsyncDisposable {
  /**
   * ∇ℓₙᵀv, how fast each sample's loss grows along a direction.
   *
   * @param direction - v, a value for every parameter
   * @returns [samples.count]
   */
  slopes(weights: ParameterSet, samples: Samples, direction: ParameterSet): Promise<Float32Array>;
}

/** Samples a run. */
const BATCH = 256;

/**
 * Compiles the derivative of every sample's loss along a direction in forward mode: for any architecture, and without the
 * gradient of any sample.
 */
export async function compileSampleSlopes(
  architecture: Architecture,
  { loss = crossEntropies, ...runtime }: RuntimeOptions & { readonly loss?: SampleLoss } = {},
): Promise<SampleSlopes> {
  const values = await compileValues(
    architecture,
    (context) => {
      const losses = loss(dataLogits(context), context.labels(DATA));
      const direction = context.parameterSet("direction");
      const along = [...context.parameters].map(([name, value]) => ({
        value,
        direction: direction.get(name) as Value,
      }));
      return { slopes: jacobianVectorProduct(losses, along) };
    },
    runtime,
  );
  return {
    async slopes(weights, samples, direction) {
      const out = new Float32Array(samples.count);
      let row = 0;
      for (const batch of batchesOf(samples, BATCH)) {
        const { slopes } = await values.run(weights, { [DATA]: { ...batch }, direction });
        out.set(slopes as Float32Array, row);
        row += slopes?.length ?? 0;
      }
      return out;
    },
    [Symbol.asyncDispose]: () => values[Symbol.asyncDispose](),
  };
}
