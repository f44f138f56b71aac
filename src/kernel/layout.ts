import { LetheError } from "./errors.ts";

/** One named tensor of a model, as it lies in the model's flat vector (row-major, float32). */
export interface TensorLayout {
  readonly name: string;
  readonly shape: readonly number[];
  /** `parameter`: trained by gradient. `buffer`: running statistics, averaged but not trained. */
  readonly role: "parameter" | "buffer";
}

/** A tensor and its place in the flat vector, counted in elements. */
export interface TensorSlot extends TensorLayout {
  readonly offset: number;
  readonly length: number;
}

/**
 * The order of a model's tensors in one flat vector: the shape of an update, of a history record and of a gradient.
 * Parameters come first, buffers last, so that the trained part is a prefix.
 */
export interface ModelLayout {
  readonly slots: readonly TensorSlot[];
  /** Elements in all. */
  readonly length: number;
  /** Elements that are trained: the prefix [0, parameterLength). */
  readonly parameterLength: number;
}

/** Lays tensors out in order, parameters before buffers. */
export function layoutOf(tensors: readonly TensorLayout[]): ModelLayout {
  const names = new Set(tensors.map((tensor) => tensor.name));
  if (names.size !== tensors.length) {
    throw new LetheError("data", "DATA_DUPLICATE_TENSOR", "Expected tensors with distinct names.");
  }
  const ordered = [
    ...tensors.filter((tensor) => tensor.role === "parameter"),
    ...tensors.filter((tensor) => tensor.role === "buffer"),
  ];
  let offset = 0;
  const slots = ordered.map((tensor): TensorSlot => {
    const slot = { ...tensor, offset, length: sizeOf(tensor.shape) };
    offset += slot.length;
    return slot;
  });
  const parameterLength = slots.reduce((sum, slot) => sum + (slot.role === "parameter" ? slot.length : 0), 0);
  return { slots, length: offset, parameterLength };
}

/** The number of elements of a shape (1 for a scalar). */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}
