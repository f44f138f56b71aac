import fc from "fast-check";
import { float, int, text } from "../../../src/onnx/attributes.ts";
import { cast } from "../../../src/onnx/functions/index.ts";
import type { Value } from "../../../src/onnx/ir.ts";
import { below, type CaseTable, type InputSpec, type OperatorCase, real } from "../operator-case.ts";

const some = fc.integer({ min: 1, max: 2 });

/** Random uses of a recurrent operator: any optional inputs, directions, layouts and settings. */
const recurrent = (type: string, gates: number, states: number, activations: readonly string[]) =>
  fc
    .record({
      steps: fc.integer({ min: 1, max: 3 }),
      batch: some,
      features: some,
      hidden: some,
      direction: fc.constantFrom("forward", "reverse", "bidirectional"),
      isBatchFirst: fc.boolean(),
      isOpen: fc.boolean(),
      hasBias: fc.boolean(),
      hasLengths: fc.boolean(),
      hasState: fc.boolean(),
      hasPeepholes: type === "LSTM" ? fc.boolean() : fc.constant(false),
      flag: fc.boolean(),
      bound: fc.constantFrom(undefined, 0.7),
      first: fc.constantFrom(undefined, "Softplus", "Tanh"),
    })
    .map((use): OperatorCase => {
      const { steps, batch, features, hidden } = use;
      const directions = use.direction === "bidirectional" ? 2 : 1;
      const isBatchFirst = use.isBatchFirst;
      const turned = (a: number, b: number): number[] => (isBatchFirst ? [b, a] : [a, b]);
      const isOpen = use.isOpen && isBatchFirst;
      const lengths: InputSpec = {
        shape: [batch],
        dtype: "int64",
        sample: (random, count) => below(steps)(random, count).map((last) => last + 1),
      };
      const state = real([...turned(directions, batch), hidden], undefined, isOpen);
      // By ONNX's positions; what is left out is undefined.
      const inputs: (InputSpec | undefined)[] = [
        real([...turned(steps, batch), features], undefined, isOpen),
        real([directions, gates * hidden, features]),
        real([directions, gates * hidden, hidden]),
        use.hasBias ? real([directions, 2 * gates * hidden]) : undefined,
        use.hasLengths ? { ...lengths, isBatch: isOpen } : undefined,
        use.hasState ? state : undefined,
        use.hasState && states === 2 ? state : undefined,
        use.hasPeepholes ? real([directions, 3 * hidden]) : undefined,
      ];
      const flag = type === "GRU" ? "linear_before_reset" : type === "LSTM" ? "input_forget" : undefined;
      const words = Array.from({ length: directions }, () => [use.first, ...activations.slice(1)]).flat();
      return {
        inputs: inputs.filter((spec) => spec !== undefined),
        build: (...given) => {
          const values = inputs.map((spec) => (spec === undefined ? undefined : (given.shift() as Value)));
          const lengthsAsMeant = values[4] && cast(values[4], "int32");
          return (values[0] as Value).graph.emit(
            type,
            values.with(4, lengthsAsMeant).slice(0, type === "LSTM" ? 8 : 6),
            {
              hidden_size: int(hidden),
              direction: text(use.direction),
              ...(isBatchFirst ? { layout: int(1) } : {}),
              ...(use.bound === undefined ? {} : { clip: float(use.bound) }),
              ...(use.first === undefined
                ? {}
                : { activations: { type: "strings", value: words as string[] } as const }),
              ...(flag !== undefined && use.flag ? { [flag]: int(1) } : {}),
            },
            { outputCount: 1 + states },
          );
        },
      };
    });

/** Recurrent networks. */
export const recurrentCases: CaseTable = {
  RNN: recurrent("RNN", 1, 1, ["Tanh"]),
  GRU: recurrent("GRU", 3, 1, ["Sigmoid", "Tanh"]),
  LSTM: recurrent("LSTM", 4, 2, ["Sigmoid", "Tanh", "Tanh"]),
};
