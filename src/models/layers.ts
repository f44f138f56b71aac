import type { TensorSlot } from "../kernel/layout.ts";

/**
 * The trained part of a model seen as layers: which tensors belong together and how a weight is a matrix from inputs to
 * outputs. What methods with per-layer statistics (Kronecker factors, gradient projection) work on.
 */
export type LayerLayout = DenseLayer | ConvLayer | NormLayer | OtherLayer;

/** y = xW + b. */
export interface DenseLayer {
  readonly kind: "dense";
  readonly name: string;
  readonly weight: TensorSlot;
  readonly bias: TensorSlot | undefined;
  /** The axis of `weight` that runs over inputs: 0 for [in, out], 1 for [out, in]. */
  readonly inputAxis: 0 | 1;
}

/** A convolution; weight [out, in/group, k…]. As a matrix: (in/group·k…) × out, rows ordered (in, ky, kx). */
export interface ConvLayer {
  readonly kind: "conv";
  readonly name: string;
  readonly weight: TensorSlot;
  readonly bias: TensorSlot | undefined;
  readonly group: number;
}

/** A normalisation: scale and shift per channel, and the running statistics that go with it (none of a layer normalisation). */
export interface NormLayer {
  readonly kind: "norm";
  readonly name: string;
  readonly scale: TensorSlot;
  readonly shift: TensorSlot;
  readonly runningMean: TensorSlot | undefined;
  readonly runningVariance: TensorSlot | undefined;
}

/** Parameters in no known form. */
export interface OtherLayer {
  readonly kind: "other";
  readonly name: string;
  readonly slots: readonly TensorSlot[];
}
