import { batchesOf } from "../../data/batches.ts";
import type { Samples } from "../../data/dataset.ts";
import { LetheError } from "../../kernel/errors.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Architecture } from "../../models/architecture.ts";
import type { RuntimeOptions } from "../../runtime/program.ts";
import { compileValues } from "../compiled-values.ts";
import { featureValue } from "./feature-value.ts";

/** Rows of features. */
export interface FeatureRows {
  /** [count, size], row-major. */
  readonly rows: Float32Array;
  /** Numbers a sample. */
  readonly size: number;
}

/** A compiled forward pass up to some features. */
export interface FeatureExtractor extends AsyncDisposable {
  /** Numbers a sample. */
  readonly size: number;
  featuresOf(weights: ParameterSet, samples: Samples): Promise<FeatureRows>;
}

/** Samples a run. */
const BATCH = 256;

/**
 * Compiles the features of an architecture in its form for use: penultimate ones, or those {@link featureValue} finds at a name.
 *
 * @throws LETHE_USAGE_FEATURES; LETHE_DATA_SHAPE where their number is not known before the graph runs
 */
export async function compileFeatures(
  architecture: Architecture,
  { at, ...runtime }: RuntimeOptions & { readonly at?: string } = {},
): Promise<FeatureExtractor> {
  let found: number | string | undefined;
  const values = await compileValues(
    architecture,
    (context) => {
      const { logits } = context.forward(context.features("data"), { mode: "inference" });
      const features = featureValue(logits, context.weights, at);
      found = features.shape[1];
      return { features };
    },
    runtime,
  );
  const size = requireSize(found, architecture.id);
  return {
    size,
    async featuresOf(weights, samples) {
      const rows = new Float32Array(samples.count * size);
      let row = 0;
      for (const { features } of batchesOf(samples, BATCH)) {
        const part = await values.run(weights, { data: { features } });
        rows.set(part.features as Float32Array, row * size);
        row += features.length / samples.featureLength;
      }
      return { rows, size };
    },
    [Symbol.asyncDispose]: () => values[Symbol.asyncDispose](),
  };
}

function requireSize(size: number | string | undefined, id: string): number {
  if (typeof size === "number") return size;
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected features of a known number in \`${id}\`, got ${size}. Export the model with fixed sizes.`,
  );
}
