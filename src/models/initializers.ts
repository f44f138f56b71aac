import { deriveKey, type Key, randomStream } from "../kernel/key.ts";
import { sizeOf } from "../kernel/layout.ts";
import type { WeightSpec } from "./architecture.ts";

/**
 * Normal with standard deviation √(2 / fanIn), for layers followed by ReLU. The key is derived by the tensor's name, so
 * that adding a layer changes no other.
 * Source: He et al., "Delving deep into rectifiers" (2015), equation 10.
 */
export function heNormal(name: string, shape: readonly number[], fanIn: number): WeightSpec {
  const std = Math.sqrt(2 / fanIn);
  const initial = (key: Key): Float32Array => {
    const stream = randomStream(deriveKey(key, "initial", name));
    return Float32Array.from({ length: sizeOf(shape) }, () => std * stream.normal());
  };
  return { name, shape, role: "parameter", initial };
}

/** A trained tensor that starts at one value: biases at 0, normalisation scales at 1. */
export function filled(name: string, shape: readonly number[], value: number): WeightSpec {
  return { name, shape, role: "parameter", initial: () => new Float32Array(sizeOf(shape)).fill(value) };
}

/** A running statistic that starts at one value. */
export function buffer(name: string, shape: readonly number[], value: number): WeightSpec {
  return { name, shape, role: "buffer", initial: () => new Float32Array(sizeOf(shape)).fill(value) };
}
