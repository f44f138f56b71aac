import { LetheError } from "../../kernel/errors.ts";
import { float, numberAttribute } from "../../onnx/attributes.ts";
import {
  add,
  div,
  mul,
  reciprocal,
  reduceMean,
  sqrt,
  square,
  sub,
  sumTo,
} from "../../onnx/functions/index.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { broadcastShapes, formatShape } from "../../onnx/shape.ts";
import { composite } from "./composite.ts";
import { normalizedAxes } from "./normalized-axes.ts";
import { inputOf, likeInput } from "./rule.ts";
import { SKIP_EPSILON, skipSum } from "./skip-sum.ts";

/** y = γ·(x − mean)/√(variance + ε) + β, with the statistics of each sample over its last axes. */
export const layerNormalizationOperators: readonly Operator[] = [
  {
    type: "LayerNormalization",
    since: 17,
    infer: (context) => {
      const x = inputOf(context, 0);
      const inner = x.shape.slice(normalizedAxes(context, x)[0]);
      for (const parameter of [inputOf(context, 1), context.inputs[2]]) {
        if (parameter === undefined || broadcastShapes(parameter.shape, inner).length === inner.length)
          continue;
        throw new LetheError(
          "data",
          "DATA_SHAPE",
          `Expected scale and bias of shape ${formatShape(inner)}, got ${formatShape(parameter.shape)}.`,
        );
      }
      const first = normalizedAxes(context, x)[0] as number;
      const statistic = { dtype: x.dtype, shape: x.shape.map((dim, axis) => (axis < first ? dim : 1)) };
      return [...likeInput(context), statistic, statistic].slice(0, context.outputCount);
    },
    // The statistics as further outputs have rules of their own.
    lower: (context) => {
      if (context.outputCount === 1) return undefined;
      const x = inputOf(context, 0);
      const over = { axes: normalizedAxes(context, x), keepDims: true };
      const mean = reduceMean(x, over);
      const epsilon = numberAttribute(context.attributes, "epsilon", 1e-5);
      const variance = reduceMean(square(sub(x, mean)), over);
      const y = x.graph.apply("LayerNormalization", context.inputs, context.attributes);
      return [y, mean, reciprocal(sqrt(add(variance, epsilon)))];
    },
    // With x̂ the normalised x and d = ȳ·γ: x̄ = (d − mean d − x̂·mean(d·x̂))/σ, γ̄ = Σ ȳ·x̂, β̄ = Σ ȳ.
    gradient: ({ node, inputs, gradients: [dy], wanted }) => {
      const [x, scale, bias] = inputs as [Value, Value, Value | undefined];
      if (dy === undefined) return [];
      const over = { axes: normalizedAxes(node, x), keepDims: true };
      const centred = sub(x, reduceMean(x, over));
      const epsilon = numberAttribute(node.attributes, "epsilon", 1e-5);
      const deviation = sqrt(add(reduceMean(square(centred), over), epsilon));
      const normal = div(centred, deviation);
      const inner = (): Value => {
        const d = mul(dy, scale);
        const along = mul(normal, reduceMean(mul(d, normal), over));
        return div(sub(sub(d, reduceMean(d, over)), along), deviation);
      };
      return [
        wanted[0] ? inner() : undefined,
        wanted[1] ? sumTo(mul(dy, normal), scale.shape) : undefined,
        wanted[2] && bias ? sumTo(dy, bias.shape) : undefined,
      ];
    },
  },
  // LayerNormalization of x + skip (+ bias), and that sum.
  composite("com.microsoft:SkipLayerNormalization", (context) => {
    const [, , scale, shift] = context.inputs;
    const x = skipSum(context, 4);
    const epsilon = numberAttribute(context.attributes, "epsilon", SKIP_EPSILON);
    const outputCount = context.outputCount > 1 ? 3 : 1;
    const outputs = x.graph.emit(
      "LayerNormalization",
      [x, scale, shift],
      { epsilon: float(epsilon) },
      { outputCount },
    );
    return outputCount === 1 ? outputs : [...outputs, x];
  }),
];
