import { sizeOf } from "../kernel/layout.ts";
import { gemm, relu, reshape } from "../onnx/functions/index.ts";
import type { Architecture } from "./architecture.ts";
import { filled, heNormal } from "./initializers.ts";

/**
 * A multilayer perceptron: x ← ReLU(xWᵢ + bᵢ) for every hidden layer, logits = xW + b.
 *
 * @param hidden - widths of the hidden layers; none gives logistic regression
 */
export function mlp(inputShape: readonly number[], classes: number, hidden: readonly number[]): Architecture {
  const widths = [sizeOf(inputShape), ...hidden, classes];
  const layers = widths.slice(1).map((outputs, index) => ({
    weight: `fc${index + 1}.weight`,
    bias: `fc${index + 1}.bias`,
    inputs: widths[index] as number,
    outputs,
  }));
  return {
    id: hidden.length === 0 ? "logistic" : `mlp:${hidden.join(",")}`,
    inputName: "input",
    outputName: "logits",
    inputType: "float32",
    inputShape,
    labelShape: [],
    classes,
    weights: layers.flatMap(({ weight, bias, inputs, outputs }) => [
      heNormal(weight, [inputs, outputs], inputs),
      filled(bias, [outputs], 0),
    ]),
    forward: (input, weightOf) => {
      const flat = reshape(input, [input.shape[0] ?? "batch", sizeOf(inputShape)]);
      const logits = layers.reduce(
        (x, layer, index) => gemm(index === 0 ? x : relu(x), weightOf(layer.weight), weightOf(layer.bias)),
        flat,
      );
      return { logits, nextBuffers: new Map() };
    },
  };
}
