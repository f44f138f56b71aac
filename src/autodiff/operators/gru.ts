import { numberAttribute } from "../../onnx/attributes.ts";
import { add, concat, matmul, mul, split, sub, transposeLast } from "../../onnx/functions/index.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { type Activation, type CellParts, recurrent } from "./recurrence.ts";

/**
 * The gated recurrent unit (Cho et al. 2014, arXiv:1406.1078), gates in the order update, reset, hidden:
 *
 * z = f(W_z·x + R_z·h), r = f(W_r·x + R_r·h), n = g(W_h·x + R_h·(r∘h)), h′ = (1 − z)∘n + z∘h
 *
 * With `linear_before_reset`, as PyTorch has it: n = g(W_h·x + r∘(R_h·h + b)).
 */
export const gruOperators: readonly Operator[] = [
  recurrent({
    type: "GRU",
    gates: 3,
    states: 1,
    activations: ["Sigmoid", "Tanh"],
    cell: (parts) => {
      const { hidden, limit } = parts;
      const [f, g] = parts.activations as [Activation, Activation];
      const isLinearFirst = numberAttribute(parts.attributes, "linear_before_reset", 0) !== 0;
      const candidateOf = isLinearFirst ? linearFirst(parts) : resetFirst(parts);
      return {
        bias: inputBias(parts, isLinearFirst),
        step: (input, [h]) => {
          const [sums, candidate] = split(input, [2 * hidden, hidden], 2) as [Value, Value];
          const { gates, finish } = candidateOf(sums, candidate, h);
          const [update, reset] = split(f(limit(gates)), [hidden, hidden], 2) as [Value, Value];
          const fresh = g(limit(finish(reset)));
          return [add(fresh, mul(update, h === undefined ? sub(0, fresh) : sub(h, fresh)))];
        },
      };
    },
  }),
];

/** The gates' sums with the recurrence in them, and how the candidate's is finished when the reset gate is known. */
type Sums = (
  gates: Value,
  candidate: Value,
  h: Value | undefined,
) => { readonly gates: Value; readonly finish: (reset: Value) => Value };

/** What of the biases can be added to all steps at once: all of it, unless the reset gate multiplies a part. */
function inputBias({ biases, hidden }: CellParts, isLinearFirst: boolean): Value | undefined {
  if (biases === undefined) return undefined;
  const [ofInput, ofRecurrence] = biases;
  if (!isLinearFirst) return add(ofInput, ofRecurrence);
  const [gates] = split(ofRecurrence, [2 * hidden, hidden], 0) as [Value, Value];
  const [inputGates, inputCandidate] = split(ofInput, [2 * hidden, hidden], 0) as [Value, Value];
  return concat([add(inputGates, gates), inputCandidate], 0);
}

function resetFirst({ recurrence, hidden }: CellParts): Sums {
  const [ofGates, ofCandidate] = split(recurrence, [2 * hidden, hidden], 0).map(transposeLast) as [
    Value,
    Value,
  ];
  return (gates, candidate, h) =>
    h === undefined
      ? { gates, finish: () => candidate }
      : {
          gates: add(gates, matmul(h, ofGates)),
          finish: (reset) => add(candidate, matmul(mul(reset, h), ofCandidate)),
        };
}

function linearFirst({ recurrence, biases, hidden }: CellParts): Sums {
  const transposed = transposeLast(recurrence);
  const bias = biases && (split(biases[1], [2 * hidden, hidden], 0)[1] as Value);
  return (gates, candidate, h) => {
    if (h === undefined) {
      return {
        gates,
        finish: (reset) => (bias === undefined ? candidate : add(candidate, mul(reset, bias))),
      };
    }
    const [ofGates, ofCandidate] = split(matmul(h, transposed), [2 * hidden, hidden], 2) as [Value, Value];
    const shifted = bias === undefined ? ofCandidate : add(ofCandidate, bias);
    return { gates: add(gates, ofGates), finish: (reset) => add(candidate, mul(reset, shifted)) };
  };
}
