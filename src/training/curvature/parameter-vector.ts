import { LetheError } from "../../kernel/errors.ts";
import type { TensorSlot } from "../../kernel/layout.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { type Architecture, layoutOfArchitecture } from "../../models/architecture.ts";
import type { NumericArray } from "../../runtime/program.ts";

/**
 * The trained parameters as one vector in double precision, in the order of the model's flat vector, without buffers.
 *
 * @param tensors - by name, one for every parameter
 * @throws LETHE_DATA_SHAPE when one is missing or has another length
 */
export function parameterVector(
  architecture: Architecture,
  tensors: ParameterSet | Readonly<Record<string, NumericArray>>,
): Float64Array {
  const { slots, length } = parameterSlots(architecture);
  const vector = new Float64Array(length);
  const named = tensors instanceof Map ? Object.fromEntries(tensors) : tensors;
  for (const slot of slots) {
    const values = (named as Readonly<Record<string, Float32Array>>)[slot.name];
    if (values?.length !== slot.length) {
      throw new LetheError(
        "data",
        "DATA_SHAPE",
        `Expected ${slot.length} values of parameter \`${slot.name}\`, got ${values?.length ?? "none"}.`,
      );
    }
    vector.set(values, slot.offset);
  }
  return vector;
}

/** A vector of {@link parameterVector}'s order as tensors in single precision. */
export function vectorParameters(architecture: Architecture, vector: Float64Array): ParameterSet {
  const { slots, length } = parameterSlots(architecture);
  if (vector.length !== length) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected a vector of ${length} numbers, one for every parameter, got ${vector.length}.`,
    );
  }
  return new Map(
    slots.map(({ name, offset, length: count }) => [
      name,
      Float32Array.from(vector.subarray(offset, offset + count)),
    ]),
  );
}

function parameterSlots(architecture: Architecture): {
  readonly slots: readonly TensorSlot[];
  readonly length: number;
} {
  const layout = layoutOfArchitecture(architecture);
  return {
    slots: layout.slots.filter(({ role }) => role === "parameter"),
    length: layout.parameterLength,
  };
}
