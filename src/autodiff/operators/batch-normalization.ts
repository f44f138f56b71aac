import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import { add, div, mul, neg, reduceSum, reshape, sqrt, sub } from "../../onnx/functions/index.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { formatShape } from "../../onnx/shape.ts";
import { inputOf } from "./rule.ts";

/** ONNX's default for ε. */
const EPSILON = 1e-5;

/**
 * y = γ·(x − mean)·r + β with r = (variance + ε)^−½ per channel, all statistics given.
 *
 * Never with `training_mode`: in that form ONNX Runtime overwrites its own inputs. Reading a model replaces it by the form
 * with own statistics.
 */
export const batchNormalizationOperators: readonly Operator[] = [
  {
    type: "BatchNormalization",
    infer: (context) => {
      const x = inputOf(context, 0);
      if (numberAttribute(context.attributes, "training_mode", 0) !== 0) {
        throw new LetheError(
          "data",
          "DATA_ATTRIBUTE",
          "Expected BatchNormalization in inference mode, got training_mode = 1. Use batchNormalizationOwn.",
        );
      }
      const channels = x.shape[1];
      for (const index of [1, 2, 3, 4]) {
        const statistic = inputOf(context, index);
        if (statistic.shape.length === 1 && statistic.shape[0] === channels) continue;
        throw new LetheError(
          "data",
          "DATA_SHAPE",
          `Expected scale, bias, mean and variance of shape [${channels}], got ${formatShape(statistic.shape)}.`,
        );
      }
      return [{ dtype: x.dtype, shape: x.shape }];
    },
    // With a = γ·r: x̄ = ȳ·a, β̄ = Σȳ, γ̄ = r·Σȳ·(x − mean), mean̄ = −a·Σȳ, variancē = −½·γ·r²·γ̄.
    gradient: ({ node, inputs, gradients: [dy], wanted }) => {
      const [x, scale, , mean, variance] = inputs as [Value, Value, Value, Value, Value];
      if (dy === undefined) return [];
      const spread = (value: Value): Value =>
        reshape(value, [...value.shape, ...x.shape.slice(2).map(() => 1)]);
      const axes = x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
      const epsilon = numberAttribute(node.attributes, "epsilon", EPSILON);
      const deviation = sqrt(add(variance, epsilon));
      const slope = div(scale, deviation);
      const sum = (): Value => reduceSum(dy, { axes });
      const scaleGradient = (): Value => div(reduceSum(mul(dy, sub(x, spread(mean))), { axes }), deviation);
      return [
        wanted[0] ? mul(dy, spread(slope)) : undefined,
        wanted[1] ? scaleGradient() : undefined,
        wanted[2] ? sum() : undefined,
        wanted[3] ? neg(mul(slope, sum())) : undefined,
        wanted[4] ? mul(mul(div(slope, deviation), scaleGradient()), -0.5) : undefined,
      ];
    },
  },
];
