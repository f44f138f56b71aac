import { LetheError } from "../kernel/errors.ts";
import type { Architecture } from "./architecture.ts";
import { layersOf } from "./derive-layers.ts";
import type { DenseLayer } from "./layers.ts";

/**
 * The last dense layer, which turns features into class scores.
 *
 * @throws LETHE_DATA_NO_HEAD for an architecture without one
 */
export function headOf(architecture: Architecture): DenseLayer {
  const head = layersOf(architecture).findLast((layer): layer is DenseLayer => layer.kind === "dense");
  if (head !== undefined) return head;
  throw new LetheError(
    "data",
    "DATA_NO_HEAD",
    `Expected class scores from a dense layer (Gemm or MatMul) in \`${architecture.id}\`, found none. Use a method that needs no head.`,
  );
}

/** Numbers in the feature vector of a head. */
export function headWidth({ weight, inputAxis }: DenseLayer): number {
  return weight.shape[inputAxis] as number;
}

/** The element of a head's weight that belongs to a feature and a class. */
export function headIndex({ weight, inputAxis }: DenseLayer, feature: number, label: number): number {
  const columns = weight.shape[1] as number;
  return inputAxis === 0 ? feature * columns + label : label * columns + feature;
}
