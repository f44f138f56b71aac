import type { Attributes } from "./attributes.ts";
import type { Dim, Shape } from "./shape.ts";
import type { DType, Tensor } from "./tensor.ts";

/** What is known of a value before the graph runs. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: Shape;
  /** The elements of a small integer value, as far as they are dimensions: what shape arithmetic computes with. */
  readonly contents?: readonly Dim[] | undefined;
}

/** A symbolic tensor: an input, a constant, or an output of a node. Compared by identity. */
export interface Value extends ValueType {
  readonly graph: GraphBuilder;
  /** Position in the order of creation, which is also an order of evaluation. */
  readonly id: number;
  readonly name: string;
  readonly node: GraphNode | undefined;
  readonly constant: Tensor | undefined;
}

/** One application of an operator. */
export interface GraphNode {
  readonly type: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
  /** Of an operator outside the table: the version of its domain that the file with it was written in. */
  readonly version?: number;
}

/** What a shape rule sees. Inputs left out by the caller are `undefined`. */
export interface InferContext {
  readonly type: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Attributes;
  /** How many outputs the caller wants; at least 1. */
  readonly outputCount: number;
}

/** What a gradient rule sees of a node y = op(x). */
export interface GradientContext {
  readonly node: GraphNode;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  /** ∂loss/∂output, `undefined` for outputs the loss does not depend on. */
  readonly gradients: readonly (Value | undefined)[];
  /** Which inputs' gradients are asked for; the others may be returned as `undefined`. */
  readonly wanted: readonly boolean[];
}

/**
 * One ONNX operator: its shape rule and its gradient rule. The gradient rule emits ONNX nodes into the same graph, and
 * every node it emits has a gradient rule itself, so that gradients of gradients work.
 */
export interface Operator {
  readonly type: string;
  /** Empty for the standard domain. */
  readonly domain?: string;
  infer(context: InferContext): readonly ValueType[];
  /**
   * The node in terms of other operators: a graph then holds those instead, and their gradients are its gradient. Returns
   * `undefined` for a form that is a node of its own. See `composite`.
   */
  readonly lower?: (context: InferContext) => readonly Value[] | undefined;
  /**
   * The vector–Jacobian product: ∂loss/∂input for every input, `undefined` where it is zero.
   * Absent when the operator has no useful derivative.
   */
  readonly gradient?: (context: GradientContext) => readonly (Value | undefined)[];
  /** Set when a value does not depend differentiably on the inputs (comparisons, indices): gradients stop here. */
  readonly isPiecewiseConstant?: boolean;
  /**
   * Inputs that say how to compute, not what with (scales of a resize): they have to be constants, so an initializer that
   * feeds nothing else is no weight.
   */
  readonly constantInputs?: readonly number[];
  /** The opset that brought the operator, when it is none of those Lethe reads from the start. */
  readonly since?: number;
  /** What of the operator is not read or not differentiated, in sentences for the user. */
  readonly limits?: string;
  /** Set for an operator whose shape rule always throws: it is known only to say why it cannot be read. */
  readonly isRefused?: boolean;
  /** Set when two equal nodes give different values (random numbers): they are never merged. */
  readonly isRandom?: boolean;
}

/**
 * A function made of several nodes whose gradient is said at once, in fewer operations than the rules of its nodes give.
 * Differentiation takes it in one step from the outputs to the inputs, as if it were one node.
 */
export interface ComposedFunction {
  /** Everything the outputs are computed from that anybody may ask a gradient of. */
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /**
   * ∂loss/∂input for every input, of ordinary nodes that can be differentiated again.
   *
   * @param gradients - ∂loss/∂output, `undefined` for outputs the loss does not depend on
   * @param wanted - which inputs' gradients are asked for
   */
  gradient(
    gradients: readonly (Value | undefined)[],
    wanted: readonly boolean[],
  ): readonly (Value | undefined)[];
}

/** Operators by `domain:type`; see `operatorKey`. */
export type OperatorTable = ReadonlyMap<string, Operator>;

/** A graph that grows: what emission functions and gradient rules see of it. */
export interface GraphBuilder {
  readonly operators: OperatorTable;
  /** Inputs in order of declaration. */
  readonly inputs: readonly Value[];
  /** Nodes in an order of evaluation. */
  readonly nodes: readonly GraphNode[];
  /** Makes known that nodes belong together; see `ComposedFunction`. */
  compose(composed: ComposedFunction): void;
  /** The function that is complete with a node. */
  composedAt(node: GraphNode): ComposedFunction | undefined;
  constant(tensor: Tensor, stem?: string, name?: string): Value;
  scalar(value: number, dtype?: DType): Value;
  integers(values: readonly number[]): Value;
  emit(
    type: string,
    inputs: readonly (Value | undefined)[],
    attributes?: Attributes,
    options?: EmitOptions,
  ): readonly Value[];
  apply(
    type: string,
    inputs: readonly (Value | undefined)[],
    attributes?: Attributes,
    domain?: string,
  ): Value;
}

/** How a node is emitted. */
export interface EmitOptions {
  readonly domain?: string;
  /** Outputs wanted, for operators with optional ones; 1 when left out. */
  readonly outputCount?: number;
  readonly name?: string;
  /** Names of the outputs, as when a model is read from a file. */
  readonly outputNames?: readonly string[];
  /** Types of the outputs for an operator outside the table, which can then be run, but not differentiated. */
  readonly declared?: readonly (ValueType | undefined)[];
  /** The version of that operator's domain. */
  readonly version?: number;
}
