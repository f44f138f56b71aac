import { numberAttribute } from "../../onnx/attributes.ts";
import {
  abs,
  add,
  cast,
  div,
  exp,
  indicatorPositive,
  mul,
  neg,
  type Operand,
  pow,
  reciprocal,
  STEP_SLOPE,
  sign,
  square,
  sub,
  sumTo,
} from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/graph.ts";
import type { InferContext, Operator, ValueType } from "../../onnx/operator.ts";
import { broadcastShapes } from "../../onnx/shape.ts";
import { dtypeOfTypeNumber } from "../../onnx/tensor.ts";
import { inputOf } from "./rule.ts";

/** y = f(x), element by element: the rule gives f′(x) from x and y. */
const unary = (type: string, derivative: (x: Value, y: Value) => Operand): Operator => ({
  type,
  infer: (context) => [{ dtype: inputOf(context, 0).dtype, shape: inputOf(context, 0).shape }],
  gradient: ({ inputs, outputs, gradients: [dy] }) => [
    dy && mul(dy, derivative(inputs[0] as Value, outputs[0] as Value)),
  ],
});

/** y = f(a, b) with broadcasting: the rule gives ȳ·∂f/∂a and ȳ·∂f/∂b before they are summed back. */
const binary = (
  type: string,
  rule: (a: Value, b: Value, dy: Value, y: Value) => readonly [() => Value, () => Value],
): Operator => ({
  type,
  infer: (context) => [broadcastOf(context)],
  gradient: ({ inputs, outputs, gradients: [dy], wanted }) => {
    const [a, b] = inputs as [Value, Value];
    if (dy === undefined) return [];
    const [da, db] = rule(a, b, dy, outputs[0] as Value);
    return [wanted[0] ? sumTo(da(), a.shape) : undefined, wanted[1] ? sumTo(db(), b.shape) : undefined];
  },
});

/** A comparison: no derivative, boolean result. */
const comparison = (type: string): Operator => ({
  type,
  isPiecewiseConstant: true,
  infer: (context) => [{ ...broadcastOf(context), dtype: "bool" }],
});

/** 2/√π */
const TWO_OVER_ROOT_PI = 1.1283791670955126;

/** Arithmetic and smooth functions, element by element. */
export const elementwiseOperators: readonly Operator[] = [
  binary("Add", (_a, _b, dy) => [() => dy, () => dy]),
  binary("Sub", (_a, _b, dy) => [() => dy, () => neg(dy)]),
  binary("Mul", (a, b, dy) => [() => mul(dy, b), () => mul(dy, a)]),
  binary("Div", (_a, b, dy, y) => [() => div(dy, b), () => neg(div(mul(dy, y), b))]),
  binary("Pow", (a, b, dy, y) => [
    () => mul(dy, mul(b, pow(a, sub(b, 1)))),
    // ∂aᵇ/∂b = aᵇ ln a, for positive a only.
    () => mul(dy, mul(y, a.graph.apply("Log", [a]))),
  ]),
  extremum("Max", (a, b) => sub(a, b)),
  extremum("Min", (a, b) => sub(b, a)),
  unary("Neg", (x) => x.graph.scalar(-1, x.dtype)),
  unary("Exp", (_x, y) => y),
  unary("Log", (x) => reciprocal(x)),
  unary("Sqrt", (_x, y) => div(0.5, y)),
  unary("Reciprocal", (_x, y) => neg(square(y))),
  unary("Abs", (x) => sign(x)),
  unary("Tanh", (_x, y) => sub(1, square(y))),
  unary("Sigmoid", (_x, y) => mul(y, sub(1, y))),
  unary("Relu", (_x, y) => indicatorPositive(y)),
  unary("Erf", (x) => mul(exp(neg(square(x))), TWO_OVER_ROOT_PI)),
  unary("Identity", () => 1),
  {
    type: "HardSigmoid",
    infer: (context) => [{ dtype: inputOf(context, 0).dtype, shape: inputOf(context, 0).shape }],
    // α inside the ramp 0 < αx + β < 1, zero outside; a ramp steeper than STEP_SLOPE is a step, of derivative zero.
    gradient: ({ node, outputs, gradients: [dy] }) => {
      const alpha = numberAttribute(node.attributes, "alpha", 0.2);
      const [y] = outputs as [Value];
      if (dy === undefined || alpha >= STEP_SLOPE) return [];
      return [mul(dy, mul(mul(indicatorPositive(y), indicatorPositive(sub(1, y))), alpha))];
    },
  },
  {
    type: "Clip",
    infer: (context) => [{ dtype: inputOf(context, 0).dtype, shape: inputOf(context, 0).shape }],
    // The gradient passes where the value was not cut.
    gradient: ({ inputs, outputs, gradients: [dy] }) => {
      const [x] = inputs as [Value];
      const [y] = outputs as [Value];
      return [dy && mul(dy, sub(1, indicatorPositive(abs(sub(x, y)))))];
    },
  },
  {
    type: "Where",
    infer: (context) => {
      const [condition, a, b] = [inputOf(context, 0), inputOf(context, 1), inputOf(context, 2)];
      return [{ dtype: a.dtype, shape: broadcastShapes(condition.shape, broadcastShapes(a.shape, b.shape)) }];
    },
    gradient: ({ inputs, gradients: [dy], wanted }) => {
      const [condition, a, b] = inputs as [Value, Value, Value];
      if (dy === undefined) return [];
      const mask = cast(condition, dy.dtype);
      return [
        undefined,
        wanted[1] ? sumTo(mul(dy, mask), a.shape) : undefined,
        wanted[2] ? sumTo(mul(dy, sub(1, mask)), b.shape) : undefined,
      ];
    },
  },
  {
    type: "Cast",
    infer: (context) => {
      const x = inputOf(context, 0);
      return [
        {
          dtype: dtypeOfTypeNumber(numberAttribute(context.attributes, "to", 1)),
          shape: x.shape,
          contents: x.contents,
        },
      ];
    },
    gradient: ({ inputs, gradients: [dy] }) => [dy && cast(dy, (inputs[0] as Value).dtype)],
  },
  { ...unary("Sign", () => 0), isPiecewiseConstant: true },
  comparison("Equal"),
  comparison("Greater"),
  comparison("Less"),
];

/** max and min of two: the gradient goes to the larger (smaller) one, to both in halves where they are equal. */
function extremum(type: string, advantage: (a: Value, b: Value) => Value): Operator {
  return binary(type, (a, b, dy) => {
    const share = (difference: Value): Value =>
      // (1 + sign)/2: 1 where it wins, ½ at a tie, 0 where it loses.
      mul(add(sign(difference), 1), 0.5);
    return [() => mul(dy, share(advantage(a, b))), () => mul(dy, share(advantage(b, a)))];
  });
}

function broadcastOf(context: InferContext): ValueType {
  const [a, b] = [inputOf(context, 0), inputOf(context, 1)];
  return { dtype: a.dtype, shape: broadcastShapes(a.shape, b.shape) };
}
