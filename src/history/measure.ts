import type { Kernel } from "./fast/kernel.ts";

/** Values that go through the kernel at once. */
const CHUNK = 8192;
/** The state of assembly/measure.ts: four doubles, four single numbers. */
const STATE_BYTES = 48;

/** What the size of an update is judged by. */
export interface Measure {
  /** Σ x², NaN where a value is. In four sums, of every fourth value, so that the processor works on all at once. */
  readonly squares: number;
  /** max |x|, NaN left out. */
  readonly largest: number;
}

/**
 * Measures values, in the kernel where there is one; the result is the same.
 *
 * @param kernel - of the workspace
 */
export function measure(values: Float32Array, kernel: Kernel | undefined): Measure {
  const sums = new Float64Array(4);
  const whole = values.length & ~3;
  const largest = measureInKernel(values.subarray(0, whole), sums, kernel);
  return sumUp(values, largest === undefined ? 0 : whole, sums, largest ?? 0);
}

/** Everything from an index on, which four divides, and the sums added up. */
function sumUp(values: Float32Array, from: number, sums: Float64Array, largestBefore: number): Measure {
  let [squares0, squares1, squares2, squares3] = sums as unknown as [number, number, number, number];
  let largest = largestBefore;
  const whole = values.length & ~3;
  for (let index = from; index < whole; index += 4) {
    const a = Math.abs(values[index] as number);
    const b = Math.abs(values[index + 1] as number);
    const c = Math.abs(values[index + 2] as number);
    const d = Math.abs(values[index + 3] as number);
    squares0 += a * a;
    squares1 += b * b;
    squares2 += c * c;
    squares3 += d * d;
    if (a > largest) largest = a;
    if (b > largest) largest = b;
    if (c > largest) largest = c;
    if (d > largest) largest = d;
  }
  for (let index = whole; index < values.length; index++) {
    const value = Math.abs(values[index] as number);
    squares0 += value * value;
    if (value > largest) largest = value;
  }
  return { squares: squares0 + squares1 + (squares2 + squares3), largest };
}

/** The largest magnitude, and the four sums filled in; undefined without a kernel. */
function measureInKernel(
  values: Float32Array,
  sums: Float64Array,
  kernel: Kernel | undefined,
): number | undefined {
  const [chunk, state] = kernel?.scratch(4 * CHUNK, STATE_BYTES) ?? [];
  if (kernel === undefined || chunk === undefined || state === undefined) return undefined;
  kernel.write(state, new Uint8Array(STATE_BYTES));
  for (let start = 0; start < values.length; start += CHUNK) {
    const part = values.subarray(start, start + CHUNK);
    kernel.write(chunk, part);
    kernel.calls.measure(chunk, part.length, state);
  }
  const bytes = kernel.read(state, STATE_BYTES).slice().buffer;
  sums.set(new Float64Array(bytes, 0, 4));
  return Math.max(...new Float32Array(bytes, 32, 4));
}
