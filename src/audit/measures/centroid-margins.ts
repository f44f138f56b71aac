import type { FeatureRows } from "../../training/features/features.ts";

/** Features that have no length point nowhere; they are as far from every class. */
const LEAST_NORM = 1e-12;

/** Class means of features, and how clearly other samples belong to theirs. */
export interface Centroids {
  /**
   * cos(x, c_y) − max_{c ≠ y} cos(x, c) of every sample, all seen from the mean of all features.
   *
   * @returns [rows], from −2 to 2
   */
  margins(features: FeatureRows, labels: Int32Array): Float64Array;
}

/**
 * Means of each class's features. Features of a class the model was trained on gather around their mean, those of others lie about: a
 * regression on them finds its way through either, which is why that is no sign of memory.
 *
 * @param features - [rows, size] of samples no model was trained on
 * @param labels - [rows], each in {0, …, classes − 1}; a class without samples is nobody's
 */
export function classCentroids(features: FeatureRows, labels: Int32Array, classes: number): Centroids {
  const { rows, size } = features;
  const centre = new Float64Array(size);
  const sums = Array.from({ length: classes }, () => new Float64Array(size));
  const counts = new Float64Array(classes);
  labels.forEach((label, row) => {
    const sum = sums[label] as Float64Array;
    counts[label] = (counts[label] as number) + 1;
    for (let k = 0; k < size; k++) {
      const value = rows[row * size + k] as number;
      (sum[k] as number) += value;
      (centre[k] as number) += value / labels.length;
    }
  });
  const directions = sums.map((sum, label) => {
    const count = counts[label] as number;
    return count === 0 ? undefined : unit(sum.map((value, k) => value / count - (centre[k] as number)));
  });
  return {
    margins: ({ rows: others }, trueLabels) =>
      Float64Array.from(trueLabels, (label, row) => {
        const x = unit(centre.map((value, k) => (others[row * size + k] as number) - value));
        let [own, best] = [-1, -1];
        directions.forEach((direction, at) => {
          const likeness = direction === undefined ? -1 : dot(x, direction);
          if (at === label) own = likeness;
          else if (likeness > best) best = likeness;
        });
        return own - best;
      }),
  };
}

function unit(vector: Float64Array): Float64Array {
  const norm = Math.max(LEAST_NORM, Math.sqrt(dot(vector, vector)));
  return vector.map((value) => value / norm);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k] as number) * (b[k] as number);
  return sum;
}
