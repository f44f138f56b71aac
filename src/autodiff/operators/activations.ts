import { numberAttribute } from "../../onnx/attributes.ts";
import {
  abs,
  add,
  div,
  indicatorPositive,
  mul,
  type Operand,
  relu,
  STEP_SLOPE,
  sigmoid,
  square,
  sub,
} from "../../onnx/functions/index.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { binary, unary } from "./elementwise-rule.ts";
import { likeInput } from "./rule.ts";

/** ONNX's constants of Selu, with which activations keep mean 0 and variance 1 (Klambauer et al. 2017, arXiv:1706.02515). */
const SELU_ALPHA = 1.6732631921768188;
const SELU_GAMMA = 1.0507010221481323;

/** Rectifiers and their relatives. At a kink the derivative is that of the flatter side. */
export const activationOperators: readonly Operator[] = [
  unary("Relu", (_x, y) => indicatorPositive(y)),
  unary("ThresholdedRelu", (x, _y, node) =>
    indicatorPositive(sub(x, numberAttribute(node.attributes, "alpha", 1))),
  ),
  // α + (1 − α)·[x > 0]
  unary("LeakyRelu", (x, _y, node) => {
    const alpha = numberAttribute(node.attributes, "alpha", 0.01);
    return add(mul(indicatorPositive(x), 1 - alpha), alpha);
  }),
  // The same with a slope α for every channel or element, which is trained: ∂y/∂α = min(x, 0).
  binary(
    "PRelu",
    {
      left: (x, slope, dy) => mul(dy, add(slope, mul(indicatorPositive(x), sub(1, slope)))),
      right: (x, _slope, dy) => mul(dy, sub(x, relu(x))),
    },
    likeInput,
  ),
  // 1 where x > 0, else α·eˣ = y + α.
  unary("Elu", (x, y, node) => bySign(x, 1, add(y, numberAttribute(node.attributes, "alpha", 1)))),
  // γ where x > 0, else γ·α·eˣ = y + γ·α.
  unary("Selu", (x, y, node) => {
    const gamma = numberAttribute(node.attributes, "gamma", SELU_GAMMA);
    return bySign(x, gamma, add(y, gamma * numberAttribute(node.attributes, "alpha", SELU_ALPHA)));
  }),
  // 1 where x > 0, else e^(x/α) = y/α + 1.
  unary("Celu", (x, y, node) => bySign(x, 1, add(div(y, numberAttribute(node.attributes, "alpha", 1)), 1))),
  unary("Softplus", (x) => sigmoid(x)),
  // y = x/(1 + |x|), so that 1 − |y| = 1/(1 + |x|).
  unary("Softsign", (_x, y) => square(sub(1, abs(y)))),
  {
    type: "HardSigmoid",
    infer: likeInput,
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
    infer: likeInput,
    // The gradient passes where the value was not cut.
    gradient: ({ inputs, outputs, gradients: [dy] }) => {
      const [x] = inputs as [Value];
      const [y] = outputs as [Value];
      return [dy && mul(dy, sub(1, indicatorPositive(abs(sub(x, y)))))];
    },
  },
];

/** `above` where x > 0, else `below`. */
function bySign(x: Value, above: Operand, below: Value): Value {
  const isPositive = indicatorPositive(x);
  return add(mul(isPositive, above), mul(sub(1, isPositive), below));
}
