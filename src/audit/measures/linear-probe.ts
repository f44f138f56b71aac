import { inverseCholesky } from "../../runtime/linear-algebra/cholesky.ts";
import type { FeatureRows } from "../../training/features/features.ts";

/** Ridge as a share of the mean squared norm of a feature vector: enough for dead and repeated features. */
const RIDGE = 0.01;
/** Samples the probe is fitted on at most: the cost is cubic in them. */
const MOST_SAMPLES = 400;

/** How clearly a linear classifier on features recognises samples. */
export interface LinearProbe {
  /** score of the true class − the best other score [count]; about 1 for certain, below 0 for wrong */
  margins(features: FeatureRows, labels: Int32Array): Float64Array;
}

/**
 * Fits a linear classifier on features by ridge regression on one-hot labels, in the dual form: α = (XXᵀ + λI)⁻¹Y on centred X. It asks what the
 * layers before the head still tell, whatever was done to the head.
 *
 * @param features - [count, size] of samples no model was trained on; the first 400 are used
 * @param labels - [count], each in {0, …, classes − 1}
 */
export function fitLinearProbe(features: FeatureRows, labels: Int32Array, classes: number): LinearProbe {
  const { size } = features;
  const count = Math.min(MOST_SAMPLES, labels.length);
  const centre = new Float64Array(size);
  for (let row = 0; row < count; row++) {
    for (let k = 0; k < size; k++) (centre[k] as number) += (features.rows[row * size + k] as number) / count;
  }
  const centred = (rows: Float32Array, row: number): Float64Array =>
    Float64Array.from(centre, (mean, k) => (rows[row * size + k] as number) - mean);
  const fitted = Array.from({ length: count }, (_, row) => centred(features.rows, row));
  const gram = new Float64Array(count * count);
  let trace = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      const product = dot(fitted[i] as Float64Array, fitted[j] as Float64Array);
      gram[i * count + j] = product;
      gram[j * count + i] = product;
    }
    trace += gram[i * count + i] as number;
  }
  // Features that do not vary at all: any positive ridge gives the class frequencies.
  const ridge = trace > 0 ? (RIDGE * trace) / count : 1;
  for (let i = 0; i < count; i++) (gram[i * count + i] as number) += ridge;
  const root = inverseCholesky(count, gram);
  const frequency = new Float64Array(classes);
  for (let row = 0; row < count; row++) (frequency[labels[row] as number] as number) += 1 / count;
  const weights = Array.from({ length: classes }, (_, label) => {
    const target = Float64Array.from(
      { length: count },
      (__, row) => Number(labels[row] === label) - (frequency[label] as number),
    );
    return combined(fitted, solved(root, target), size);
  });
  return {
    margins: ({ rows }, trueLabels) =>
      Float64Array.from(trueLabels, (label, row) => {
        const x = centred(rows, row);
        const scores = weights.map((weight, k) => (frequency[k] as number) + dot(weight, x));
        const others = scores.filter((_, k) => k !== label);
        return (scores[label] as number) - Math.max(...others);
      }),
  };
}

/** R⁻¹(R⁻¹)ᵀ b, the solution of (RᵀR) x = b. */
function solved(root: Float64Array, b: Float64Array): Float64Array {
  const size = b.length;
  const half = new Float64Array(size);
  for (let row = 0; row < size; row++) {
    for (let k = row; k < size; k++)
      (half[k] as number) += (root[row * size + k] as number) * (b[row] as number);
  }
  return half.map((_, row) => {
    let sum = 0;
    for (let k = row; k < size; k++) sum += (root[row * size + k] as number) * (half[k] as number);
    return sum;
  });
}

function combined(rows: readonly Float64Array[], factors: Float64Array, size: number): Float64Array {
  const out = new Float64Array(size);
  rows.forEach((row, at) => {
    for (let k = 0; k < size; k++) (out[k] as number) += (factors[at] as number) * (row[k] as number);
  });
  return out;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k] as number) * (b[k] as number);
  return sum;
}
