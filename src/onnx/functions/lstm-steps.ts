import type { Value } from "../ir.ts";
import { add, mul, sigmoid, sub, tanh } from "./elementwise.ts";
import { matmul, transposeLast } from "./linear.ts";
import { concat, reshape, slice, split, zerosLike } from "./structure.ts";

/** The order of input, forget and output gate; the candidate comes last in both. */
export type GateOrder = "ifo" | "iof";

/** What {@link lstmSteps} gives. */
export interface LstmStates {
  /** h of every step, [steps, batch, hidden] */
  readonly outputs: Value;
  /** h and c of the last step, [1, batch, hidden] each */
  readonly last: readonly [Value, Value];
}

/**
 * Long short-term memory over all steps, from the zero state: cₜ = σ(f)⊙cₜ₋₁ + σ(i)⊙tanh(g), hₜ = σ(o)⊙tanh(cₜ) with
 * (i, f, o, g) = entering_t + hₜ₋₁·U, unrolled. The three sigmoids lie side by side and are one node.
 *
 * The gradient is said at once: what it needs of the forward pass is worked out for all steps together, which leaves six nodes a
 * step, and Ū = Σₜ hₜ₋₁ᵀ·ḡₜ is one product in place of a sum of products.
 *
 * @param entering - xₜW + b of every step, [steps, batch, 4·hidden]
 * @param recurrence - U, [hidden, 4·hidden]
 * @param order - of the gates in both
 */
export function lstmSteps(entering: Value, recurrence: Value, order: GateOrder = "ifo"): LstmStates {
  const [steps, hidden] = [Number(entering.shape[0]), Number(recurrence.shape[0])];
  const gates: Value[] = [];
  const fresh: Value[] = [];
  const cells: Value[] = [];
  const squashed: Value[] = [];
  const states: Value[] = [];
  for (const own of split(entering, ones(steps), 0)) {
    const before = states.at(-1);
    const sums = before === undefined ? own : add(own, matmul(before, recurrence)); // [1, batch, 4·hidden]
    const [opening, candidate] = split(sums, [3 * hidden, hidden], 2) as [Value, Value];
    const open = sigmoid(opening);
    const [i, f, o] = ordered(split(open, [hidden, hidden, hidden], 2), order);
    const g = tanh(candidate);
    const old = cells.at(-1);
    const entered = mul(i, g);
    const cell = old === undefined ? entered : add(mul(f, old), entered);
    gates.push(open);
    fresh.push(g);
    cells.push(cell);
    squashed.push(tanh(cell));
    states.push(mul(o, squashed.at(-1) as Value));
  }
  const y = concat(states, 0);
  const last = [states.at(-1), cells.at(-1)] as [Value, Value];
  // One step's output is its last state: one value, which gets one gradient.
  const isOne = y === last[0];
  entering.graph.compose({
    inputs: [entering, recurrence],
    outputs: isOne ? [y, last[1]] : [y, ...last],
    gradient: ([dy, ...rest], wanted) => {
      const found = isOne ? [dy, undefined, ...rest] : [dy, ...rest];
      const forward = { gates, fresh, cells, squashed, y, recurrence, order, steps, hidden };
      return backward(forward, found, wanted);
    },
  });
  return { outputs: y, last };
}

interface Forward {
  /** σ of input, forget and output gate, [1, batch, 3·hidden] a step. */
  readonly gates: readonly Value[];
  /** tanh(g), c and tanh(c), [1, batch, hidden] a step. */
  readonly fresh: readonly Value[];
  readonly cells: readonly Value[];
  readonly squashed: readonly Value[];
  readonly y: Value;
  readonly recurrence: Value;
  readonly order: GateOrder;
  readonly steps: number;
  readonly hidden: number;
}

/**
 * c̄ₜ = h̄ₜ⊙o(1 − tanh²cₜ) + c̄ₜ₊₁⊙fₜ₊₁ and ḡₜ = (c̄ₜ, c̄ₜ, h̄ₜ, c̄ₜ)⊙Dₜ, where Dₜ = (g·i(1−i), cₜ₋₁·f(1−f), tanh(cₜ)·o(1−o),
 * i(1−g²)); h̄ₜ₋₁ = ȳₜ₋₁ + ḡₜUᵀ.
 */
function backward(
  forward: Forward,
  [dy, dLast, dCell]: readonly (Value | undefined)[],
  wanted: readonly boolean[],
): readonly (Value | undefined)[] {
  const { cells, y, recurrence, order, steps, hidden } = forward;
  const opened = concat(forward.gates, 0); // [steps, batch, 3·hidden]
  const [i, f, o] = ordered(split(opened, [hidden, hidden, hidden], 2), order);
  const [g, k] = [concat(forward.fresh, 0), concat(forward.squashed, 0)];
  const before = concat([zerosLike(cells[0] as Value), ...cells.slice(0, -1)], 0);
  const slopes = mul(opened, sub(1, opened));
  const factors = concat(
    [mul(slopes, concat(ordered([g, before, k], order), 2)), mul(i, sub(1, mul(g, g)))],
    2,
  );
  const perStep = (value: Value): readonly Value[] => split(value, ones(steps), 0);
  const [toGates, toCell, kept, given] = [factors, sub(o, mul(y, k)), f, dy ?? zerosLike(y)].map(perStep) as [
    readonly Value[],
    readonly Value[],
    readonly Value[],
    readonly Value[],
  ];
  const back = transposeLast(recurrence);
  const found = new Array<Value>(steps);
  const end = given[steps - 1] as Value;
  let dh = dLast === undefined ? end : add(end, dLast);
  let dc = dCell;
  for (let step = steps - 1; step >= 0; step--) {
    const own = mul(dh, toCell[step] as Value);
    const cell = dc === undefined ? own : add(own, dc);
    const gradient = mul(concat([...ordered([cell, cell, dh], order), cell], 2), toGates[step] as Value); // [1, batch, 4·hidden]
    found[step] = gradient;
    if (step === 0) break;
    dh = add(given[step - 1] as Value, matmul(gradient, back));
    dc = mul(cell, kept[step] as Value);
  }
  const all = concat(found, 0);
  return [all, wanted[1] ? recurrenceGradient(y, all, steps, hidden) : undefined];
}

/** Σₜ hₜ₋₁ᵀ·ḡₜ as one product over steps and batch. */
function recurrenceGradient(y: Value, gradient: Value, steps: number, hidden: number): Value {
  if (steps === 1) return mul(matmul(transposeLast(rows(y, hidden)), rows(gradient, 4 * hidden)), 0);
  const earlier = slice(y, [{ axis: 0, start: 0, end: steps - 1 }]);
  const later = slice(gradient, [{ axis: 0, start: 1, end: steps }]);
  return matmul(transposeLast(rows(earlier, hidden)), rows(later, 4 * hidden));
}

/** [steps, batch, size] → [steps·batch, size] */
function rows(x: Value, size: number): Value {
  return reshape(x, [-1, size]);
}

/** Between the order input, forget, output and another; the way there is the way back. */
function ordered([a, b, c]: readonly (Value | undefined)[], order: GateOrder): [Value, Value, Value] {
  return (order === "ifo" ? [a, b, c] : [a, c, b]) as [Value, Value, Value];
}

function ones(count: number): number[] {
  return new Array<number>(count).fill(1);
}
