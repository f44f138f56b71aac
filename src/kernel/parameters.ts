import { LetheError } from "./errors.ts";
import type { ModelLayout } from "./layout.ts";

/** A model's tensors by name. */
export type ParameterSet = ReadonlyMap<string, Float32Array>;

/**
 * Copies named tensors into one flat vector.
 *
 * @returns [layout.length]
 * @throws LETHE_DATA_SHAPE when a tensor is missing or has another length
 */
export function flatten(layout: ModelLayout, parameters: ParameterSet): Float32Array {
  const flat = new Float32Array(layout.length);
  for (const slot of layout.slots) {
    const values = parameters.get(slot.name);
    if (values?.length !== slot.length) {
      throw new LetheError(
        "data",
        "DATA_SHAPE",
        `Expected ${slot.length} values for tensor \`${slot.name}\`, got ${values?.length ?? "none"}.`,
      );
    }
    flat.set(values, slot.offset);
  }
  return flat;
}

/** Named views into a flat vector (no copy). */
export function unflatten(layout: ModelLayout, flat: Float32Array): ParameterSet {
  if (flat.length !== layout.length) {
    throw new LetheError("data", "DATA_SHAPE", `Expected ${layout.length} values, got ${flat.length}.`);
  }
  return new Map(
    layout.slots.map((slot) => [slot.name, flat.subarray(slot.offset, slot.offset + slot.length)]),
  );
}

/** The position of the first NaN or infinity, or −1. */
export function firstNonFinite(values: Float32Array): number {
  for (let index = 0; index < values.length; index++) if (!Number.isFinite(values[index])) return index;
  return -1;
}
