import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { formatShape } from "../../onnx/shape.ts";
import { inputOf, likeInput } from "./rule.ts";

/** The first elements of each sequence in reverse order, each with a length of its own; twice the same changes nothing. */
export const reverseSequenceOperators: readonly Operator[] = [
  {
    type: "ReverseSequence",
    infer: (context) => {
      const { shape } = inputOf(context, 0);
      const [batch, time] = [
        numberAttribute(context.attributes, "batch_axis", 1),
        numberAttribute(context.attributes, "time_axis", 0),
      ];
      if (shape.length < 2 || batch + time !== 1 || inputOf(context, 1).shape.length !== 1) {
        throw new LetheError(
          "data",
          "DATA_SHAPE",
          `Expected sequences along axis 0 or 1, samples along the other, and a length for each sample, got ` +
            `${formatShape(shape)} with time_axis ${time} and batch_axis ${batch}.`,
        );
      }
      return likeInput(context);
    },
    gradient: ({ node, inputs: [, lengths], gradients: [dy] }) => [
      dy?.graph.apply("ReverseSequence", [dy, lengths as Value], node.attributes),
    ],
  },
];
