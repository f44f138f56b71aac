/**
 * Euclidean distance ‖a − b‖₂ of two flat parameter vectors.
 */
export function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) {
    const difference = (a[index] as number) - (b[index] as number);
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}

/**
 * How much of the way to the retrained parameters is left: ‖unlearned − retrained‖ / ‖trained − retrained‖.
 * 0 is the retrained point, 1 no nearer than before. Not invariant to permutations of hidden units: read it beside the
 * metrics of function.
 *
 * @returns `undefined` when trained and retrained are the same point: there was no way to go
 */
export function parameterDistance(
  unlearned: Float32Array,
  trained: Float32Array,
  retrained: Float32Array,
): number | undefined {
  const whole = distance(trained, retrained);
  return whole === 0 ? undefined : distance(unlearned, retrained) / whole;
}
