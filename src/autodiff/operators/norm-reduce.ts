import { abs, log, square } from "../../onnx/functions/index.ts";
import type { InferContext, Operator, Value } from "../../onnx/ir.ts";
import { composite } from "./composite.ts";
import { normRoot } from "./p-norm.ts";
import { inputOf } from "./rule.ts";

/** Norms and other reductions made of a sum and a function before or behind it. */
export const normReduceOperators: readonly Operator[] = [
  composite("ReduceL1", (context) => [summed(context, abs)]),
  composite("ReduceL2", (context) => [normRoot(summed(context, square), 2)]),
  composite("ReduceSumSquare", (context) => [summed(context, square)]),
  composite("ReduceLogSum", (context) => [log(summed(context, (x) => x))]),
];

/** Σ f(x) over the axes of the second input. */
function summed(context: InferContext, f: (x: Value) => Value): Value {
  const x = inputOf(context, 0);
  return x.graph.apply("ReduceSum", [f(x), context.inputs[1]], context.attributes);
}
