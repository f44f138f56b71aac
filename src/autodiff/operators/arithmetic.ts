import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import {
  add,
  cast,
  div,
  equal,
  indicatorNonNegative,
  log,
  mul,
  neg,
  type Operand,
  pow,
  round,
  sub,
  sumTo,
  where,
} from "../../onnx/functions/index.ts";
import type { InferContext, Operator, Value, ValueType } from "../../onnx/ir.ts";
import { broadcastShapes, isStatic } from "../../onnx/shape.ts";
import { isFloating, numbersOf } from "../../onnx/tensor.ts";
import { composite } from "./composite.ts";
import { binary, broadcastType } from "./elementwise-rule.ts";
import { inputOf } from "./rule.ts";

/** Sums, products, powers and extremes, element by element with broadcasting. */
export const arithmeticOperators: readonly Operator[] = [
  binary(
    "Add",
    { left: (_a, _b, dy) => dy, right: (_a, _b, dy) => dy },
    folded((a, b) => a + b),
  ),
  binary(
    "Sub",
    { left: (_a, _b, dy) => dy, right: (_a, _b, dy) => dy, finishRight: neg },
    folded((a, b) => a - b),
  ),
  binary(
    "Mul",
    { left: (_a, b, dy) => mul(dy, b), right: (a, _b, dy) => mul(dy, a) },
    folded((a, b) => a * b),
  ),
  binary(
    "Div",
    { left: (_a, b, dy) => div(dy, b), right: (_a, b, dy, y) => div(mul(dy, y), b), finishRight: neg },
    folded((a, b, isReal) => (isReal ? a / b : Math.trunc(a / b))),
  ),
  binary(
    "Pow",
    {
      left: (a, b, dy) => mul(dy, powerSlope(a, b)),
      // ∂aᵇ/∂b = aᵇ·ln a, for a ≥ 0 only; 0 where a is 0.
      right: (a, b, dy, y) => cast(mul(dy, mul(y, log(where(equal(a, 0), 1, a)))), b.dtype),
    },
    (context) => {
      const [a, b] = [inputOf(context, 0), inputOf(context, 1)];
      return [{ dtype: a.dtype, shape: broadcastShapes(a.shape, b.shape) }];
    },
  ),
  {
    type: "Sum",
    infer: (context) => [broadcastType(context)],
    gradient: ({ inputs, gradients: [dy] }) => inputs.map((input) => dy && input && sumTo(dy, input.shape)),
  },
  composite("Mean", (context) => {
    const sum = inputOf(context, 0).graph.apply("Sum", context.inputs);
    return [mul(sum, 1 / context.inputs.length)];
  }),
  // The remainder of a/b: with `fmod` that of the quotient cut off at the point, q = (a − y)/b; whole numbers only otherwise.
  binary(
    "Mod",
    { left: (_a, _b, dy) => dy, right: (a, b, dy, y) => mul(dy, round(div(sub(a, y), b))), finishRight: neg },
    (context) => {
      const type = broadcastType(context);
      const cutsOff = numberAttribute(context.attributes, "fmod", 0) !== 0;
      if (isFloating(type.dtype) && !cutsOff) {
        throw new LetheError(
          "data",
          "DATA_ATTRIBUTE",
          "Expected Mod of real numbers with fmod = 1, which alone is defined for them, got fmod = 0.",
        );
      }
      const remainder = (a: number, b: number): number => (cutsOff ? a % b : a - b * Math.floor(a / b));
      return [{ ...type, contents: foldedContents(context, type, remainder) }];
    },
  ),
  extremum("Max", (candidate, y) => sub(candidate, y)),
  extremum("Min", (candidate, y) => sub(y, candidate)),
];

/** b·aᵇ⁻¹, with a constant exponent worked out beforehand; aᵇ of constant b = 0 or 1 has no pole at a = 0. */
function powerSlope(a: Value, b: Value): Operand {
  const [exponent, ...others] = b.constant === undefined ? [] : numbersOf(b.constant);
  const known = exponent !== undefined && others.length === 0;
  if (known && (exponent === 0 || exponent === 1)) return exponent;
  const times: Operand = known ? exponent : cast(b, a.dtype);
  const reduced: Operand = known ? exponent - 1 : sub(cast(b, a.dtype), 1);
  return mul(reduced === 1 ? a : pow(a, reduced), times);
}

/** The largest or smallest of several: the gradient goes to the one that attains it, in equal shares to several. */
function extremum(type: string, advantage: (candidate: Value, y: Value) => Value): Operator {
  return {
    type,
    infer: (context) => [broadcastType(context)],
    gradient: ({ inputs, outputs, gradients: [dy], wanted }) => {
      const candidates = inputs as readonly Value[];
      const [y] = outputs as [Value];
      if (dy === undefined) return [];
      const attained = candidates.map((candidate) => indicatorNonNegative(advantage(candidate, y)));
      const share = div(dy, attained.reduce(add));
      return candidates.map((candidate, index) =>
        wanted[index] ? sumTo(mul(share, attained[index] as Value), candidate.shape) : undefined,
      );
    },
  };
}

/** A shape rule that also computes with sizes, as exported models do to find the shape of a reshape. */
function folded(compute: (a: number, b: number, isReal: boolean) => number): Operator["infer"] {
  return (context) => {
    const type = broadcastType(context);
    return [{ ...type, contents: foldedContents(context, type, compute) }];
  };
}

function foldedContents(
  context: InferContext,
  { shape, dtype }: ValueType,
  compute: (a: number, b: number, isReal: boolean) => number,
): readonly number[] | undefined {
  const [a, b] = context.inputs.map((input) => input?.contents);
  if (a === undefined || b === undefined || !isStatic(a) || !isStatic(b) || shape.length > 1)
    return undefined;
  const isReal = isFloating(dtype);
  const results = Array.from({ length: Math.max(a.length, b.length) }, (_, index) =>
    compute(a[a.length === 1 ? 0 : index] as number, b[b.length === 1 ? 0 : index] as number, isReal),
  );
  const found = dtype === "float32" ? results.map(Math.fround) : results;
  return found.every(Number.isFinite) ? found : undefined;
}
