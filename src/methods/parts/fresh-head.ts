import { deriveKey, type Key, randomStream } from "../../kernel/key.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Architecture } from "../../models/architecture.ts";
import { headOf, headWidth } from "../../models/head.ts";

/**
 * The weights with the last dense layer drawn anew: uniform in ±1/√width, as PyTorch's linear layers start. (An imported model's
 * own start is its trained weights, so it cannot be asked.)
 *
 * @throws LETHE_DATA_NO_HEAD
 */
export function withFreshHead(architecture: Architecture, weights: ParameterSet, key: Key): ParameterSet {
  const head = headOf(architecture);
  const bound = 1 / Math.sqrt(headWidth(head));
  const fresh = new Map(weights);
  for (const slot of [head.weight, head.bias]) {
    if (slot === undefined) continue;
    const stream = randomStream(deriveKey(key, slot.name));
    fresh.set(
      slot.name,
      Float32Array.from({ length: slot.length }, () => bound * (2 * stream.uniform() - 1)),
    );
  }
  return fresh;
}
