import { mul, type Operand, sumTo } from "../../onnx/functions/index.ts";
import type { GraphNode, InferContext, Operator, Value, ValueType } from "../../onnx/ir.ts";
import { broadcastShapes, isStatic, type Shape } from "../../onnx/shape.ts";
import { inputOf, likeInput, requireSameType } from "./rule.ts";

/** y = f(x), element by element: `derivative` gives f′(x) from x and y. */
export const unary = (
  type: string,
  derivative: (x: Value, y: Value, node: GraphNode) => Operand,
): Operator => ({
  type,
  infer: likeInput,
  gradient: ({ node, inputs, outputs, gradients: [dy] }) => [
    dy && mul(dy, derivative(inputs[0] as Value, outputs[0] as Value, node)),
  ],
});

/**
 * y = f(x), element by element, where f is a staircase: no gradient passes.
 *
 * @param step - f, where sizes are computed with it
 */
export const staircase = (type: string, step?: (x: number) => number): Operator => ({
  type,
  isPiecewiseConstant: true,
  infer: (context) => {
    const [output] = likeInput(context);
    const known = context.inputs[0]?.contents;
    const contents = step && known && isStatic(known) ? known.map(step) : undefined;
    return [{ ...(output as ValueType), contents }];
  },
});

/** The two halves of a rule for y = f(a, b): ȳ·∂f/∂a and ȳ·∂f/∂b, before they are summed over broadcast axes. */
export interface BinaryRule {
  readonly left: (a: Value, b: Value, dy: Value, y: Value) => Value;
  readonly right: (a: Value, b: Value, dy: Value, y: Value) => Value;
  /** What is left to do to ∂loss/∂b after the sum, where it is smaller. */
  readonly finishRight?: (gradient: Value) => Value;
}

/** y = f(a, b), element by element with broadcasting. */
export const binary = (
  type: string,
  rule: BinaryRule,
  infer: Operator["infer"] = (context) => [broadcastType(context)],
): Operator => ({
  type,
  infer,
  gradient: ({ inputs, outputs, gradients: [dy], wanted }) => {
    const [a, b] = inputs as [Value, Value];
    const [y] = outputs as [Value];
    if (dy === undefined) return [];
    const { finishRight = (gradient: Value) => gradient } = rule;
    return [
      wanted[0] ? sumTo(rule.left(a, b, dy, y), a.shape) : undefined,
      wanted[1] ? finishRight(sumTo(rule.right(a, b, dy, y), b.shape)) : undefined,
    ];
  },
});

/** The type of an elementwise operation on any number of inputs: their common element type, their shapes broadcast. */
export function broadcastType(context: InferContext): ValueType {
  const first = inputOf(context, 0);
  const shape = context.inputs.reduce<Shape>((all, _, index) => {
    const input = inputOf(context, index);
    requireSameType(first, input);
    return broadcastShapes(all, input.shape);
  }, []);
  return { dtype: first.dtype, shape };
}
