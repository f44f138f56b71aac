import type { Key } from "../kernel/key.ts";
import { layoutOf, type ModelLayout, type TensorLayout } from "../kernel/layout.ts";
import { type ParameterSet, unflatten } from "../kernel/parameters.ts";
import type { Value } from "../onnx/ir.ts";
import type { ModelChange } from "../onnx/rewrite-model.ts";
import type { Shape } from "../onnx/shape.ts";
import type { DType } from "../onnx/tensor.ts";

/** A tensor of a model and how it starts. */
export interface WeightSpec extends TensorLayout {
  /** The starting values, a pure function of the key. */
  initial(key: Key): Float32Array;
}

/** Whether layers that differ between training and use (batch normalisation, dropout) are in one form or the other. */
export type Mode = "training" | "inference";

/** What the forward pass of a batch gives. */
export interface Forward {
  /** Unnormalised class scores [batch, …labelShape, classes]. */
  readonly logits: Value;
  /** In training: the running statistics after this batch, by buffer name. */
  readonly nextBuffers: ReadonlyMap<string, Value>;
}

/**
 * An architecture some of whose sizes (the length of a text) may be open until its graph runs: a name stands for those. It can
 * be written and run, but samples of a data set need {@link Architecture}.
 */
export interface OpenArchitecture {
  /** The text that names it: `mlp:64`, `cnn`, or a file's name. */
  readonly id: string;
  /** What the input and the class scores are called in an ONNX file. */
  readonly inputName: string;
  readonly outputName: string;
  /** What a sample is made of: measurements, or the ids of tokens (then {@link PADDING_TOKEN} fills it up). */
  readonly inputType: "float32" | "int64" | "int32";
  /** Sizes of one sample, [channels, height, width], [features] or [positions]. */
  readonly inputShape: Shape;
  /** Sizes of one sample's labels: [] of a class for the sample, [positions] of one for each, as a language model has. */
  readonly labelShape: Shape;
  readonly classes: number;
  readonly weights: readonly WeightSpec[];
  /**
   * Adds the forward pass to the graph of `input`.
   *
   * @param input - [batch, …inputShape]
   * @param weightOf - the value of each weight by name
   * @param companions - values of {@link OpenArchitecture.companions} by name; what is left out follows from `input`
   */
  forward(
    input: Value,
    weightOf: (name: string) => Value,
    mode: Mode,
    companions?: ReadonlyMap<string, Value>,
  ): Forward;
  /** Inputs a file's model has beside the first. */
  readonly companions?: readonly Companion[];
  /** The file a model came from with other weights in it, otherwise as it was; left out where there was no file. */
  readonly rewrite?: Rewrite;
  /** What a person should know who brought the model. */
  readonly notes?: readonly string[];
}

/**
 * A classifier, of whole samples or of every position in them, as a function from weights to a graph. The same architecture
 * gives the training step, the prediction program and every objective of an unlearning method.
 */
export interface Architecture extends OpenArchitecture {
  readonly inputShape: readonly number[];
  readonly labelShape: readonly number[];
}

/** A further input of a model, such as a mask of the tokens that count. */
export interface Companion {
  readonly name: string;
  readonly dtype: DType;
  /** [batch, …] */
  readonly shape: Shape;
}

/** Writes a model's file again. */
export type Rewrite = (weights: ParameterSet, options?: Omit<ModelChange, "tensors">) => Uint8Array;

/** The token that fills samples of text up to their length; it is nobody's word. */
export const PADDING_TOKEN = 0;

/** The order of an architecture's tensors in a flat vector. */
export function layoutOfArchitecture(architecture: OpenArchitecture): ModelLayout {
  return layoutOf(architecture.weights.map(({ name, shape, role }) => ({ name, shape, role })));
}

/** Starting weights: a pure function of the key. */
export function initialWeights(architecture: OpenArchitecture, key: Key): ParameterSet {
  const layout = layoutOfArchitecture(architecture);
  const flat = new Float32Array(layout.length);
  const specs = new Map(architecture.weights.map((spec) => [spec.name, spec]));
  for (const slot of layout.slots) flat.set((specs.get(slot.name) as WeightSpec).initial(key), slot.offset);
  return unflatten(layout, flat);
}

/** The shape of a batch of inputs: its first size is known when the graph runs. */
export function batchShape(architecture: OpenArchitecture): Shape {
  return ["batch", ...architecture.inputShape];
}
