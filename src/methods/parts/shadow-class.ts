import type { Architecture } from "../../models/architecture.ts";
import { headOf, headWidth } from "../../models/head.ts";
import { filled, normal } from "../../models/initializers.ts";
import { add, concat, matmul } from "../../onnx/functions/index.ts";
import { featureValue } from "../../training/features/feature-value.ts";

/** What the further class adds to a model. */
export const SHADOW = { weight: "shadow.weight", bias: "shadow.bias" } as const;

/**
 * The architecture with one class more, which no sample has: its score is a dense layer of its own beside the head, so that the
 * model's own tensors keep their shapes and the class is taken away by leaving its two tensors out.
 *
 * @throws LETHE_DATA_NO_HEAD
 */
export function withShadowClass(architecture: Architecture): Architecture {
  const width = headWidth(headOf(architecture));
  const classes = architecture.classes + 1;
  // Normal with variance 2/(inputs + outputs) of the whole head (Glorot & Bengio, 2010), as in the authors' code.
  const std = Math.sqrt(2 / (width + classes));
  const shadow = [normal(SHADOW.weight, [width, 1], std), filled(SHADOW.bias, [1], 0)];
  return {
    ...architecture,
    id: `${architecture.id} with a shadow class`,
    classes,
    weights: [...architecture.weights, ...shadow],
    forward(input, weightOf, mode, companions) {
      const pass = architecture.forward(input, weightOf, mode, companions);
      const weights = new Map(architecture.weights.map(({ name }) => [name, weightOf(name)]));
      const features = featureValue(pass.logits, weights);
      const score = add(matmul(features, weightOf(SHADOW.weight)), weightOf(SHADOW.bias));
      return { ...pass, logits: concat([pass.logits, score], 1) };
    },
  };
}
