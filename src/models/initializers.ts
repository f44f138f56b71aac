import { deriveKey, type Key, type RandomStream, randomStream } from "../kernel/key.ts";
import { sizeOf } from "../kernel/layout.ts";
import type { WeightSpec } from "./architecture.ts";

/**
 * Normal with standard deviation √(2 / fanIn), for layers followed by ReLU.
 * Source: He et al., "Delving deep into rectifiers" (2015), equation 10.
 */
export function heNormal(name: string, shape: readonly number[], fanIn: number): WeightSpec {
  return normal(name, shape, Math.sqrt(2 / fanIn));
}

/**
 * Uniform on ±1/√fanIn, for layers whose result no ReLU halves: class scores, gates. PyTorch's default for linear layers.
 * Source: LeCun et al., "Efficient backprop" (1998), section 4.6.
 */
export function lecunUniform(name: string, shape: readonly number[], fanIn: number): WeightSpec {
  return uniform(name, shape, 1 / Math.sqrt(fanIn));
}

/** A trained tensor that starts at one value: biases at 0, normalisation scales at 1. */
export function filled(name: string, shape: readonly number[], value: number): WeightSpec {
  return { name, shape, role: "parameter", initial: () => new Float32Array(sizeOf(shape)).fill(value) };
}

/** A running statistic that starts at one value. */
export function buffer(name: string, shape: readonly number[], value: number): WeightSpec {
  return { name, shape, role: "buffer", initial: () => new Float32Array(sizeOf(shape)).fill(value) };
}

/** Normal with the given standard deviation. */
export function normal(name: string, shape: readonly number[], std: number): WeightSpec {
  return drawn(name, shape, (stream) => std * stream.normal());
}

/** Uniform on [−bound, bound). */
export function uniform(name: string, shape: readonly number[], bound: number): WeightSpec {
  return drawn(name, shape, (stream) => bound * (2 * stream.uniform() - 1));
}

/** The key is derived by the tensor's name, so that adding a layer changes no other. */
function drawn(name: string, shape: readonly number[], draw: (stream: RandomStream) => number): WeightSpec {
  const initial = (key: Key): Float32Array => {
    const stream = randomStream(deriveKey(key, "initial", name));
    return Float32Array.from({ length: sizeOf(shape) }, () => draw(stream));
  };
  return { name, shape, role: "parameter", initial };
}
