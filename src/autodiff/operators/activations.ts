import { numberAttribute } from "../../onnx/attributes.ts";
import { abs, add, indicatorPositive, mul, STEP_SLOPE, sigmoid, sub } from "../../onnx/functions/index.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { unary } from "./elementwise-rule.ts";
import { likeInput } from "./rule.ts";

/** Rectifiers and their relatives. At a kink the derivative is that of the flatter side. */
export const activationOperators: readonly Operator[] = [
  unary("Relu", (_x, y) => indicatorPositive(y)),
  // α + (1 − α)·[x > 0]
  unary("LeakyRelu", (x, _y, node) => {
    const alpha = numberAttribute(node.attributes, "alpha", 0.01);
    return add(mul(indicatorPositive(x), 1 - alpha), alpha);
  }),
  // 1 where x > 0, else α·eˣ = y + α.
  unary("Elu", (x, y, node) => {
    const isPositive = indicatorPositive(x);
    const falling = add(y, numberAttribute(node.attributes, "alpha", 1));
    return add(isPositive, mul(sub(1, isPositive), falling));
  }),
  unary("Softplus", (x) => sigmoid(x)),
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
