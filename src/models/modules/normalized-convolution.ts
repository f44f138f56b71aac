import { relu } from "../../onnx/functions/index.ts";
import { convolution } from "./convolution.ts";
import { type Module, sequence, stateless } from "./module.ts";
import { batchNormalized } from "./normalization.ts";

/** A padded 3×3 convolution, batch normalisation, pooling where there is one (before ReLU: the same result, cheaper), ReLU. */
export function normalizedConvolution(
  name: string,
  inputs: number,
  outputs: number,
  ...pooling: Module[]
): Module {
  return sequence(
    convolution(`${name}.conv`, { inputs, outputs, kernel: 3, padding: 1, bias: false }),
    batchNormalized(`${name}.bn`, outputs),
    ...pooling,
    stateless(relu),
  );
}
