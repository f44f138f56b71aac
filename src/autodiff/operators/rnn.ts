import { add, matmul, transposeLast } from "../../onnx/functions/index.ts";
import type { Operator } from "../../onnx/ir.ts";
import { type Activation, recurrent } from "./recurrence.ts";

/** The simple recurrent network (Elman 1990): h′ = f(W·x + R·h) */
export const rnnOperators: readonly Operator[] = [
  recurrent({
    type: "RNN",
    gates: 1,
    states: 1,
    activations: ["Tanh"],
    cell: ({ recurrence, biases, activations, limit }) => {
      const [f] = activations as [Activation];
      const transposed = transposeLast(recurrence);
      return {
        bias: biases && add(...biases),
        step: (input, [h]) => [f(limit(h === undefined ? input : add(input, matmul(h, transposed))))],
      };
    },
  }),
];
