import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import { reduceSum } from "../../onnx/functions/index.ts";
import type { InferContext, Operator } from "../../onnx/ir.ts";
import { composite } from "./composite.ts";
import { spatialSizes } from "./known.ts";
import { magnitudePower, normRoot } from "./p-norm.ts";
import { inputOf } from "./rule.ts";
import { kernelShapeOf, windowCounts, windowOf } from "./window.ts";
import { windowSum } from "./window-sum.ts";

/** The p-norm (Σ|x|ᵖ)^(1/p) of each window, and of all of space. */
export const lpPoolOperators: readonly Operator[] = [
  composite("LpPool", (context) => {
    const x = inputOf(context, 0);
    const sizes = spatialSizes(x);
    const window = windowOf(context.attributes, kernelShapeOf(context.attributes), sizes);
    const counts = windowCounts(window, sizes, context.attributes);
    const p = orderOf(context);
    return [normRoot(windowSum(magnitudePower(x, p), window, counts), p)];
  }),
  composite("GlobalLpPool", (context) => {
    const x = inputOf(context, 0);
    const axes = spatialSizes(x).map((_, axis) => axis + 2);
    const p = orderOf(context);
    return [normRoot(reduceSum(magnitudePower(x, p), { axes, keepDims: true }), p)];
  }),
];

function orderOf(context: InferContext): number {
  const p = numberAttribute(context.attributes, "p", 2);
  if (p >= 1) return p;
  throw new LetheError("data", "DATA_ATTRIBUTE", `Expected ${context.type} with p ≥ 1, got ${p}.`);
}
