/**
 * Log-softmax of every row: log p_k = z_k − log Σ_j exp z_j, in nats, in double precision.
 *
 * @param logits - [count, classes], finite
 * @returns [count, classes]
 */
export function logProbabilities(logits: Float32Array | Float64Array, classes: number): Float64Array {
  const out = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    const total = logSumExp(logits, start, classes);
    for (let k = 0; k < classes; k++) out[start + k] = (logits[start + k] as number) - total;
  }
  return out;
}

/**
 * log Σ_k exp values_k over `count` entries from `start` on, one of them left out on request: the sum never overflows.
 *
 * @param without - position in the row, −1 for none
 */
export function logSumExp(values: ArrayLike<number>, start: number, count: number, without = -1): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < count; k++) {
    if (k !== without) largest = Math.max(largest, values[start + k] as number);
  }
  let sum = 0;
  for (let k = 0; k < count; k++) {
    if (k !== without) sum += Math.exp((values[start + k] as number) - largest);
  }
  return Math.log(sum) + largest;
}
