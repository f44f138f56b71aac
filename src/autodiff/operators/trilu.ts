import type { Operator } from "../../onnx/ir.ts";
import { likeInput } from "./rule.ts";

/** The upper or lower triangles of matrices, zeros elsewhere; the gradient has the same triangle. */
export const triluOperators: readonly Operator[] = [
  {
    type: "Trilu",
    since: 14,
    constantInputs: [1],
    infer: likeInput,
    gradient: ({ node, inputs: [, diagonal], gradients: [dy] }) => [
      dy?.graph.apply("Trilu", diagonal === undefined ? [dy] : [dy, diagonal], node.attributes),
    ],
  },
];
