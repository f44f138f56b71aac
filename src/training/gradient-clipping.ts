import { z } from "zod";
import { clip } from "../onnx/functions/index.ts";
import { clippedToNorm, inOrder } from "./gradient-transforms.ts";
import type { ParameterTransform } from "./objective-graph.ts";

/** Limits on gradients: of every element, then of the norm of all together. */
export const clippingSchema = z.strictObject({
  value: z.number().positive().optional().describe("elements are brought to [−value, value]"),
  norm: z.number().positive().optional().describe("the whole gradient is shortened to this norm"),
});

/** Limits with nothing left out. */
export type Clipping = z.output<typeof clippingSchema>;

/** The limits as a transform inside the step graph; `undefined` where there is none. */
export function clippingTransform({ value, norm }: Clipping): ParameterTransform | undefined {
  const transforms = [
    ...(value === undefined ? [] : [clippedToValue(value)]),
    ...(norm === undefined ? [] : [clippedToNorm(norm)]),
  ];
  return transforms.length === 0 ? undefined : inOrder(...transforms);
}

/** Every element brought to [−limit, limit]. */
function clippedToValue(limit: number): ParameterTransform {
  return (values) => new Map([...values].map(([name, value]) => [name, clip(value, -limit, limit)]));
}
