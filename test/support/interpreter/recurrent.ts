import { numberAttribute, stringAttribute } from "../../../src/onnx/attributes.ts";
import { type Application, type Evaluator, type Evaluators, inputAt } from "./evaluator.ts";
import { at, type NdArray, tabulate } from "./nd-array.ts";

type Scalar = (x: number) => number;

const FUNCTIONS: Readonly<Record<string, Scalar>> = {
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Tanh: Math.tanh,
  Softplus: (x) => Math.log1p(Math.exp(x)),
};

/** What a step of one sample in one direction computes with. */
interface Step {
  /** W·x + R·v + both biases of unit `unit` of gate `gate`; the parts are asked for apart where a kind needs them. */
  readonly input: (gate: number, unit: number) => number;
  readonly recurrent: (gate: number, unit: number, v: readonly number[]) => number;
  readonly peephole: (gate: number, unit: number) => number;
  readonly functions: readonly Scalar[];
  readonly limit: Scalar;
  readonly application: Application;
}

/** Recurrent networks, sample by sample and number by number; a backward direction reads the turned-round sequence. */
export const recurrentEvaluators: Evaluators = {
  RNN: recurrent(1, 1, ["Tanh"], ({ input, recurrent, functions, limit }, [h]) => [
    h.map((_, u) => (functions[0] as Scalar)(limit(input(0, u) + recurrent(0, u, h)))),
  ]),
  GRU: recurrent(3, 1, ["Sigmoid", "Tanh"], ({ input, recurrent, functions, limit, application }, [h]) => {
    const [f, g] = functions as [Scalar, Scalar];
    const isLinearFirst = numberAttribute(application.attributes, "linear_before_reset", 0) !== 0;
    const gate = (index: number): number[] =>
      h.map((_, u) => f(limit(input(index, u) + recurrent(index, u, h))));
    const [z, r] = [gate(0), gate(1)];
    const reset = h.map((x, u) => x * (r[u] as number));
    return [
      h.map((old, u) => {
        const inner = isLinearFirst ? (r[u] as number) * recurrent(2, u, h) : recurrent(2, u, reset);
        const fresh = g(limit(input(2, u) + inner));
        return (1 - (z[u] as number)) * fresh + (z[u] as number) * old;
      }),
    ];
  }),
  LSTM: recurrent(4, 2, ["Sigmoid", "Tanh", "Tanh"], (step, [h, c]) => {
    const { input, recurrent, peephole, functions, limit, application } = step;
    const [f, g, k] = functions as [Scalar, Scalar, Scalar];
    const isCoupled = numberAttribute(application.attributes, "input_forget", 0) !== 0;
    const sum = (gate: number, u: number): number => input(gate, u) + recurrent(gate, u, h);
    const cell = (c as readonly number[]).map((old, u) => {
      const i = f(limit(sum(0, u) + peephole(0, u) * old));
      const forget = isCoupled ? 1 - i : f(limit(sum(2, u) + peephole(2, u) * old));
      return forget * old + i * g(limit(sum(3, u)));
    });
    return [cell.map((next, u) => f(limit(sum(1, u) + peephole(1, u) * next)) * k(next)), cell];
  }),
};

function recurrent(
  gates: number,
  states: number,
  usual: readonly string[],
  advance: (step: Step, state: readonly [readonly number[], ...(readonly number[])[]]) => number[][],
): Evaluator {
  return (application) => {
    const { attributes, inputs } = application;
    const isBatchFirst = numberAttribute(attributes, "layout", 0) !== 0;
    const x = stepFirst(inputAt(application, 0), isBatchFirst);
    const [w, r] = [inputAt(application, 1), inputAt(application, 2)];
    const initial = [inputs[5], inputs[6]].map((state) => state && stepFirst(state, isBatchFirst));
    const [steps, batch, features] = x.shape as [number, number, number];
    const [directions, , hidden] = r.shape as [number, number, number];
    const direction = stringAttribute(attributes, "direction", "forward");
    const bound = numberAttribute(attributes, "clip", Number.POSITIVE_INFINITY);
    const named = attributes.activations?.type === "strings" ? attributes.activations.value : undefined;

    const outputs = new Map<string, number>();
    const last = Array.from({ length: states }, () => new Map<string, number>());
    for (let d = 0; d < directions; d++) {
      const isReverse = direction === "reverse" || d === 1;
      const words = named?.slice(d * usual.length, (d + 1) * usual.length) ?? usual;
      for (let n = 0; n < batch; n++) {
        const length = inputs[4]?.data[n] ?? steps;
        let state = Array.from({ length: states }, (_, s) =>
          Array.from({ length: hidden }, (_, u) => (initial[s] ? at(initial[s], [d, n, u]) : 0)),
        );
        for (let count = 0; count < length; count++) {
          const t = isReverse ? length - 1 - count : count;
          const bias = (index: number): number => (inputs[3] ? at(inputs[3], [d, index]) : 0);
          const step: Step = {
            input: (gate, u) => {
              const row = gate * hidden + u;
              let sum = bias(row);
              for (let i = 0; i < features; i++) sum += at(w, [d, row, i]) * at(x, [t, n, i]);
              return sum;
            },
            recurrent: (gate, u, v) => {
              const row = gate * hidden + u;
              return v.reduce((sum, h, i) => sum + at(r, [d, row, i]) * h, bias(gates * hidden + row));
            },
            peephole: (gate, u) => (inputs[7] ? at(inputs[7], [d, gate * hidden + u]) : 0),
            functions: words.map((word) => FUNCTIONS[word] as Scalar),
            limit: (sum) => Math.min(Math.max(sum, -bound), bound),
            application,
          };
          state = advance(step, state as [number[], ...number[][]]);
          state[0]?.forEach((h, u) => {
            outputs.set([t, d, n, u].join(), h);
          });
        }
        state.forEach((values, s) => {
          values.forEach((value, u) => {
            last[s]?.set([d, n, u].join(), value);
          });
        });
      }
    }
    const all = tabulate([steps, directions, batch, hidden], (index) => outputs.get(index.join()) ?? 0);
    const finals = last.map((values) =>
      tabulate([directions, batch, hidden], (index) => values.get(index.join()) as number),
    );
    if (!isBatchFirst) return [all, ...finals];
    const turned = tabulate([batch, steps, directions, hidden], ([n, t, d, u]) =>
      at(all, [t, d, n, u] as number[]),
    );
    return [turned, ...finals.map((state) => stepFirst(state, true))];
  };
}

/** The first two axes exchanged where the batch comes first. */
function stepFirst(x: NdArray, isBatchFirst: boolean): NdArray {
  if (!isBatchFirst) return x;
  const [first, second, width] = x.shape as [number, number, number];
  return tabulate([second, first, width], ([a, b, u]) => at(x, [b, a, u] as number[]));
}
