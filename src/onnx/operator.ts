import type { Attributes } from "./attributes.ts";
import type { GraphNode, Value } from "./graph.ts";
import type { Dim, Shape } from "./shape.ts";
import type { DType } from "./tensor.ts";

/** What is known of a value before the graph runs. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: Shape;
  /** The elements of a small integer value, as far as they are dimensions: what shape arithmetic computes with. */
  readonly contents?: readonly Dim[] | undefined;
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
  /** Set when two equal nodes give different values (random numbers): they are never merged. */
  readonly isRandom?: boolean;
}

/** Operators by `domain:type`; see {@link operatorKey}. */
export type OperatorTable = ReadonlyMap<string, Operator>;

/** The name of an operator in a table. */
export function operatorKey(type: string, domain = ""): string {
  return domain === "" || domain === "ai.onnx" ? type : `${domain}:${type}`;
}

/**
 * Collects operators into a table.
 *
 * @throws Error when two have one name, which is a programming error
 */
export function operatorTable(operators: readonly Operator[]): OperatorTable {
  const table = new Map<string, Operator>();
  for (const operator of operators) {
    const key = operatorKey(operator.type, operator.domain);
    if (table.has(key)) throw new Error(`operator ${key} is defined twice`);
    table.set(key, operator);
  }
  return table;
}
