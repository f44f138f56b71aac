import {
  add,
  cos,
  cosh,
  div,
  exp,
  mul,
  neg,
  reciprocal,
  sign,
  sin,
  sinh,
  sqrt,
  square,
  sub,
} from "../../onnx/functions/index.ts";
import type { Operator } from "../../onnx/ir.ts";
import { staircase, unary } from "./elementwise-rule.ts";

/** 2/√π */
const TWO_OVER_ROOT_PI = 1.1283791670955126;

/** Functions of one number, element by element, and the staircases whose derivative is zero. */
export const scalarFunctionOperators: readonly Operator[] = [
  unary("Neg", () => -1),
  unary("Abs", (x) => sign(x)),
  unary("Reciprocal", (_x, y) => neg(square(y))),
  unary("Sqrt", (_x, y) => div(0.5, y)),
  unary("Exp", (_x, y) => y),
  unary("Log", (x) => reciprocal(x)),
  unary("Sin", (x) => cos(x)),
  unary("Cos", (x) => neg(sin(x))),
  unary("Tan", (_x, y) => add(square(y), 1)),
  unary("Asin", (x) => reciprocal(sqrt(sub(1, square(x))))),
  unary("Acos", (x) => neg(reciprocal(sqrt(sub(1, square(x)))))),
  unary("Atan", (x) => reciprocal(add(square(x), 1))),
  unary("Sinh", (x) => cosh(x)),
  unary("Cosh", (x) => sinh(x)),
  unary("Tanh", (_x, y) => sub(1, square(y))),
  unary("Asinh", (x) => reciprocal(sqrt(add(square(x), 1)))),
  unary("Acosh", (x) => reciprocal(sqrt(sub(square(x), 1)))),
  unary("Atanh", (x) => reciprocal(sub(1, square(x)))),
  unary("Sigmoid", (_x, y) => mul(y, sub(1, y))),
  unary("Erf", (x) => mul(exp(neg(square(x))), TWO_OVER_ROOT_PI)),
  staircase("Sign"),
  staircase("Floor", Math.floor),
  staircase("Ceil", Math.ceil),
  staircase("Round"),
];
