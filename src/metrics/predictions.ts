/**
 * The class with the largest score in every row; the first of equals.
 *
 * @param logits - [count, classes]
 * @returns [count]
 */
export function predictedClasses(logits: Float32Array, classes: number): Int32Array {
  const predicted = new Int32Array(logits.length / classes);
  for (let row = 0; row < predicted.length; row++) {
    let best = 0;
    for (let k = 1; k < classes; k++) {
      if ((logits[row * classes + k] as number) > (logits[row * classes + best] as number)) best = k;
    }
    predicted[row] = best;
  }
  return predicted;
}

/**
 * Cross-entropy of every sample, −log softmax(logits)ₙ,yₙ, in nats.
 *
 * @param logits - [count, classes]
 * @param labels - [count]
 * @returns [count]
 */
export function sampleLosses(logits: Float32Array, labels: Int32Array, classes: number): Float64Array {
  return Float64Array.from(labels, (label, row) => {
    let largest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < classes; k++) largest = Math.max(largest, logits[row * classes + k] as number);
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += Math.exp((logits[row * classes + k] as number) - largest);
    return Math.log(sum) + largest - (logits[row * classes + label] as number);
  });
}
