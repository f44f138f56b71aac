import { numberAttribute, stringAttribute } from "../../onnx/attributes.ts";
import { add, gelu, hardSigmoid, mul, sigmoid, silu, softplus, tanh } from "../../onnx/functions/index.ts";
import type { InferContext, Operator, Value } from "../../onnx/ir.ts";
import { composite } from "./composite.ts";
import { inputOf } from "./rule.ts";

/** √(2/π) and 0.044715, of the tanh form of Gelu (Hendrycks & Gimpel 2016, arXiv:1606.08415). */
const GELU_SCALE = Math.sqrt(2 / Math.PI);
const GELU_CUBIC = 0.044715;

/** QuickGelu's x·σ(1.702·x), of the same authors. */
const QUICK_GELU_SLOPE = 1.702;

/** The product of x and a gate between 0 and 1 that x opens: y = x·g(x). */
export const gatedActivationOperators: readonly Operator[] = [
  composite(
    "Gelu",
    (context) => {
      const form = stringAttribute(context.attributes, "approximate", "none");
      return [form === "tanh" ? tanhGelu(inputOf(context, 0)) : gelu(inputOf(context, 0))];
    },
    { since: 20 },
  ),
  composite("com.microsoft:Gelu", (context) => [gelu(inputOf(context, 0))]),
  composite("com.microsoft:BiasGelu", (context) => [gelu(biased(context))]),
  composite("com.microsoft:FastGelu", (context) => [tanhGelu(biased(context))]),
  composite("com.microsoft:QuickGelu", (context) => [swish(context, QUICK_GELU_SLOPE)]),
  composite("Swish", (context) => [swish(context, 1)], { since: 24 }),
  composite(
    "HardSwish",
    (context) => {
      const x = inputOf(context, 0);
      return [mul(x, hardSigmoid(x, 1 / 6, 0.5))];
    },
    { since: 14 },
  ),
  composite(
    "Mish",
    (context) => {
      const x = inputOf(context, 0);
      return [mul(x, tanh(softplus(x)))];
    },
    { since: 18 },
  ),
];

/** ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) */
function tanhGelu(x: Value): Value {
  const inner = mul(mul(x, add(mul(mul(x, x), GELU_CUBIC), 1)), GELU_SCALE);
  return mul(mul(x, add(tanh(inner), 1)), 0.5);
}

/** x·σ(αx) */
function swish(context: InferContext, slope: number): Value {
  const x = inputOf(context, 0);
  const alpha = numberAttribute(context.attributes, "alpha", slope);
  return alpha === 1 ? silu(x) : mul(x, sigmoid(mul(x, alpha)));
}

function biased(context: InferContext): Value {
  const [x, bias] = [inputOf(context, 0), context.inputs[1]];
  return bias === undefined ? x : add(x, bias);
}
