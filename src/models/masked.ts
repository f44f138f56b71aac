import { sizeOf } from "../kernel/layout.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { mul } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import type { Architecture } from "./architecture.ts";

/**
 * The architecture with masks multiplied into weights in every forward pass: elements masked by 0 have no gradient, so they stay
 * what they are.
 *
 * @param masks - 0 or 1 for every element of the masked weights, by name
 */
export function maskedArchitecture(architecture: Architecture, masks: ParameterSet): Architecture {
  const shapes = new Map(architecture.weights.map(({ name, shape }) => [name, shape]));
  return {
    ...architecture,
    forward: (input, weightOf, ...rest) => {
      const masked = (name: string): Value => {
        const mask = masks.get(name);
        const shape = shapes.get(name);
        if (mask === undefined || shape === undefined || mask.length !== sizeOf(shape)) return weightOf(name);
        const data = { dtype: "float32" as const, shape: [...shape], data: mask };
        return mul(weightOf(name), input.graph.constant(data, `mask_${name}`));
      };
      return architecture.forward(input, masked, ...rest);
    },
  };
}
