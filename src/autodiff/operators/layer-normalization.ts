import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import { add, div, mul, reduceMean, sqrt, square, sub, sumTo } from "../../onnx/functions/index.ts";
import type { GraphNode, Operator, Value } from "../../onnx/ir.ts";
import { broadcastShapes, formatShape, normalizeAxis } from "../../onnx/shape.ts";
import { inputOf, likeInput } from "./rule.ts";

/** y = γ·(x − mean)/√(variance + ε) + β, with the statistics of each sample over its last axes. */
export const layerNormalizationOperators: readonly Operator[] = [
  {
    type: "LayerNormalization",
    since: 17,
    infer: (context) => {
      const x = inputOf(context, 0);
      const inner = x.shape.slice(axesOf(context, x)[0]);
      for (const parameter of [inputOf(context, 1), context.inputs[2]]) {
        if (parameter === undefined || broadcastShapes(parameter.shape, inner).length === inner.length)
          continue;
        throw new LetheError(
          "data",
          "DATA_SHAPE",
          `Expected scale and bias of shape ${formatShape(inner)}, got ${formatShape(parameter.shape)}.`,
        );
      }
      return likeInput(context);
    },
    // With x̂ the normalised x and d = ȳ·γ: x̄ = (d − mean d − x̂·mean(d·x̂))/σ, γ̄ = Σ ȳ·x̂, β̄ = Σ ȳ.
    gradient: ({ node, inputs, gradients: [dy], wanted }) => {
      const [x, scale, bias] = inputs as [Value, Value, Value | undefined];
      if (dy === undefined) return [];
      const over = { axes: axesOf(node, x), keepDims: true };
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
];

/** The axes that are normalised over: all from `axis` on. */
function axesOf(node: Pick<GraphNode, "attributes">, x: Value): number[] {
  const rank = x.shape.length;
  const first = normalizeAxis(numberAttribute(node.attributes, "axis", -1), rank);
  return Array.from({ length: rank - first }, (_, index) => first + index);
}
