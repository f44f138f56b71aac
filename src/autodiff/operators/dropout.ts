import { LetheError } from "../../kernel/errors.ts";
import { cast, mul } from "../../onnx/functions/index.ts";
import type { GraphBuilder, InferContext, Operator, Value } from "../../onnx/ir.ts";
import { numbersOf } from "../../onnx/tensor.ts";
import { dropoutMask } from "./dropout-mask.ts";
import { inputOf } from "./rule.ts";

/** The graph input (an int64 scalar) that all masks of a graph follow from. */
const SEED_INPUT = "dropout-seed";

/**
 * In inference it passes x on. In training elements are zero with probability `ratio` and the others are divided by 1 − ratio
 * (Srivastava et al. 2014), by a mask worked out in the graph from the input `dropout-seed`: the same seed drops the same elements
 * in every run and every engine, so that a step can be repeated. The engine's own Dropout could not be.
 */
export const dropoutOperators: readonly Operator[] = [
  {
    type: "Dropout",
    constantInputs: [1, 2],
    infer: (context) => {
      const { dtype, shape } = inputOf(context, 0);
      return [{ dtype, shape }, ...(context.outputCount > 1 ? [{ dtype: "bool", shape } as const] : [])];
    },
    lower: (context) => {
      if (settingOf(context, 2, 0) === 0) return undefined;
      const x = inputOf(context, 0);
      const ratio = settingOf(context, 1, 0.5);
      if (!(ratio >= 0 && ratio < 1)) {
        throw new LetheError("data", "DATA_ATTRIBUTE", `Expected a dropout ratio in [0, 1), got ${ratio}.`);
      }
      // Layers differ by their place in the graph, which is the same whenever the graph is built.
      const kept = dropoutMask(x, ratio, seedOf(x.graph), x.graph.nodes.length);
      return [mul(mul(x, cast(kept, x.dtype)), 1 / (1 - ratio)), kept];
    },
    gradient: ({ gradients: [dy] }) => [dy],
  },
];

function settingOf(context: InferContext, index: number, fallback: number): number {
  const input = context.inputs[index];
  if (input === undefined) return fallback;
  const [value] = input.constant === undefined ? [] : numbersOf(input.constant);
  if (value !== undefined) return value;
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected ${index === 1 ? "the ratio" : "training_mode"} of Dropout to be constant, got a computed one.`,
  );
}

function seedOf(graph: GraphBuilder): Value {
  const seed = graph.inputs.find(({ name }) => name === SEED_INPUT);
  if (seed !== undefined) return seed;
  throw new LetheError(
    "data",
    "DATA_ATTRIBUTE",
    `Expected Dropout in inference mode, or a graph with the int64 input \`${SEED_INPUT}\`, got training_mode without one. ` +
      "Export the model in evaluation mode.",
  );
}
