import { add, pad, relu, slice } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import { convolution } from "./convolution.ts";
import { type Module, sequence, stateless } from "./module.ts";
import { batchNormalized } from "./normalization.ts";

/** x ↦ body(x) + shortcut(x); the shortcut is x itself when left out. */
export function residual(body: Module, shortcut: Module = stateless((x) => x)): Module {
  return {
    weights: [...body.weights, ...shortcut.weights],
    apply: (x, pass) => add(body.apply(x, pass), shortcut.apply(x, pass)),
  };
}

/** How a {@link basicBlock} changes its input. */
export interface BasicBlockOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
  /**
   * What takes the input to another size: `pad` leaves out rows and columns and adds channels of zeros (no weights),
   * `project` is a 1×1 convolution with batch normalisation.
   */
  readonly shortcut: "pad" | "project";
}

/**
 * The basic block of a residual network: ReLU(BN(conv(ReLU(BN(conv(x))))) + shortcut(x)), both convolutions 3×3.
 * Source: He et al., "Deep residual learning for image recognition" (2015), arXiv 1512.03385, section 3.3, options A and B.
 */
export function basicBlock(name: string, options: BasicBlockOptions): Module {
  const { inputs, outputs, stride, shortcut } = options;
  const body = sequence(
    convolution(`${name}.conv1`, { inputs, outputs, kernel: 3, stride, padding: 1, bias: false }),
    batchNormalized(`${name}.bn1`, outputs),
    stateless(relu),
    convolution(`${name}.conv2`, { inputs: outputs, outputs, kernel: 3, padding: 1, bias: false }),
    batchNormalized(`${name}.bn2`, outputs),
  );
  const isSameSize = stride === 1 && inputs === outputs;
  const path = isSameSize
    ? undefined
    : shortcut === "pad"
      ? stateless((x) => subsampled(x, stride, outputs - inputs))
      : sequence(
          convolution(`${name}.shortcut.conv`, { inputs, outputs, kernel: 1, stride, bias: false }),
          batchNormalized(`${name}.shortcut.bn`, outputs),
        );
  return sequence(residual(body, path), stateless(relu));
}

/** Every `stride`-th row and column, with `added` channels of zeros, half of them before and half behind. */
function subsampled(x: Value, stride: number, added: number): Value {
  const [, , height, width] = x.shape as readonly number[];
  const kept = slice(x, [
    { axis: 2, start: 0, end: height as number, step: stride },
    { axis: 3, start: 0, end: width as number, step: stride },
  ]);
  const before = Math.floor(added / 2);
  return pad(kept, [0, before, 0, 0], [0, added - before, 0, 0]);
}
