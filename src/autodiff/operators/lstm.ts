import { numberAttribute } from "../../onnx/attributes.ts";
import { add, lstmSteps, matmul, mul, split, sub, transposeLast } from "../../onnx/functions/index.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { type Activation, type CellParts, type RecurrentState, recurrent } from "./recurrence.ts";

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997) as ONNX defines it, gates in the order input, output, forget, cell:
 *
 * i = f(W_i·x + R_i·h + P_i∘c), o = f(W_o·x + R_o·h + P_o∘c′), φ = f(W_f·x + R_f·h + P_f∘c),
 * c′ = φ∘c + i∘g(W_c·x + R_c·h), h′ = o∘k(c′)
 */
export const lstmOperators: readonly Operator[] = [
  recurrent({
    type: "LSTM",
    gates: 4,
    states: 2,
    activations: ["Sigmoid", "Tanh", "Tanh"],
    peepholes: 7,
    cell: (parts) => {
      const [f, g, k] = parts.activations as [Activation, Activation, Activation];
      const { hidden, limit } = parts;
      const transposed = transposeLast(parts.recurrence); // [hidden, 4·hidden]
      const gatesOf =
        parts.peepholes === undefined ? openGates(parts, f) : peepholeGates(parts, f, parts.peepholes);
      return {
        all:
          parts.isPlain && !coupled(parts.attributes)
            ? (entering) => lstmSteps(entering, transposed, "iof")
            : undefined,
        bias: parts.biases && add(...parts.biases),
        step: (input, [h, c]) => {
          const sum = h === undefined ? input : add(input, matmul(h, transposed));
          const [gates, candidate] = split(sum, [3 * hidden, hidden], 2) as [Value, Value];
          const gate = gatesOf(gates, c);
          const fresh = mul(gate.input, g(limit(candidate)));
          const cell = c === undefined ? fresh : add(mul(gate.forget, c), fresh);
          return [mul(gate.output(cell), k(cell)), cell];
        },
      };
    },
  }),
];

interface Gates {
  readonly input: Value;
  readonly forget: Value;
  /** Looks at the new cell state where there are peepholes. */
  readonly output: (cell: Value) => Value;
}

/** The gates from their sums [1, batch, 3·hidden] and the old cell state. */
type GatesOf = (sums: Value, cell: RecurrentState[number]) => Gates;

function openGates({ hidden, limit, attributes }: CellParts, f: Activation): GatesOf {
  return (sums) => {
    const [input, output, forget] = split(f(limit(sums)), [hidden, hidden, hidden], 2) as [
      Value,
      Value,
      Value,
    ];
    return { input, forget: coupled(attributes) ? sub(1, input) : forget, output: () => output };
  };
}

function peepholeGates({ hidden, limit, attributes }: CellParts, f: Activation, peepholes: Value): GatesOf {
  const [toInput, toOutput, toForget] = split(peepholes, [hidden, hidden, hidden], 0) as [
    Value,
    Value,
    Value,
  ];
  const gate = (sum: Value, peephole: Value, cell: Value | undefined): Value =>
    f(limit(cell === undefined ? sum : add(sum, mul(peephole, cell))));
  return (sums, cell) => {
    const [input, output, forget] = split(sums, [hidden, hidden, hidden], 2) as [Value, Value, Value];
    const opened = gate(input, toInput, cell);
    return {
      input: opened,
      forget: coupled(attributes) ? sub(1, opened) : gate(forget, toForget, cell),
      output: (next) => gate(output, toOutput, next),
    };
  };
}

/** Forget what is not let in. */
function coupled(attributes: CellParts["attributes"]): boolean {
  return numberAttribute(attributes, "input_forget", 0) !== 0;
}
