import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import {
  add,
  batchNormalizationOwn,
  div,
  mul,
  neg,
  reduceSum,
  reshape,
  sqrt,
  sub,
} from "../../onnx/functions/index.ts";
import type { GraphNode, InferContext, Operator, Value } from "../../onnx/ir.ts";
import { formatShape } from "../../onnx/shape.ts";
import { inputOf } from "./rule.ts";

/** ONNX's default for ε. */
const EPSILON = 1e-5;

/**
 * y = γ·(x − mean)·r + β with r = (variance + ε)^−½ per channel, all statistics given.
 *
 * The form with `training_mode` never reaches ONNX Runtime, which writes its outputs over its inputs: it is made of the form with
 * own statistics.
 */
export const batchNormalizationOperators: readonly Operator[] = [
  {
    type: "BatchNormalization",
    infer: (context) => {
      const { x, mean, variance } = operandsOf(context);
      const running = isTraining(context) ? [mean, variance] : [];
      return [x, ...running].map(({ dtype, shape }) => ({ dtype, shape })).slice(0, context.outputCount);
    },
    // Training: own statistics, and running ones r ← r·momentum + batch·(1 − momentum).
    lower: (context) => {
      if (!isTraining(context)) return undefined;
      const { x, scale, bias, mean, variance } = operandsOf(context);
      const own = batchNormalizationOwn(x, scale, bias, epsilonOf(context));
      const momentum = numberAttribute(context.attributes, "momentum", 0.9);
      const running = (before: Value, batch: Value): Value =>
        add(mul(before, momentum), mul(batch, 1 - momentum));
      return [own.y, running(mean, own.mean), running(variance, own.variance)];
    },
    // With a = γ·r: x̄ = ȳ·a, β̄ = Σȳ, γ̄ = r·Σȳ·(x − mean), mean̄ = −a·Σȳ, variancē = −½·γ·r²·γ̄.
    gradient: ({ node, inputs, gradients: [dy], wanted }) => {
      const [x, scale, , mean, variance] = inputs as [Value, Value, Value, Value, Value];
      if (dy === undefined) return [];
      const spread = (value: Value): Value =>
        reshape(value, [...value.shape, ...x.shape.slice(2).map(() => 1)]);
      const axes = x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
      const deviation = sqrt(add(variance, epsilonOf(node)));
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

type Attributed = Pick<GraphNode, "attributes">;

function isTraining({ attributes }: Attributed): boolean {
  return numberAttribute(attributes, "training_mode", 0) !== 0;
}

function epsilonOf({ attributes }: Attributed): number {
  return numberAttribute(attributes, "epsilon", EPSILON);
}

function operandsOf(context: InferContext) {
  const x = inputOf(context, 0);
  const channels = x.shape[1];
  const parameter = (index: number): Value => {
    const value = inputOf(context, index);
    if (value.shape.length === 1 && value.shape[0] === channels) return value;
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected scale, bias, mean and variance of shape [${channels}], got ${formatShape(value.shape)}.`,
    );
  };
  return { x, scale: parameter(1), bias: parameter(2), mean: parameter(3), variance: parameter(4) };
}
