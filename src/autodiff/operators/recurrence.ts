import { LetheError } from "../../kernel/errors.ts";
import { type Attributes, numberAttribute, stringAttribute } from "../../onnx/attributes.ts";
import {
  add,
  cast,
  clip,
  concat,
  greater,
  type LstmStates,
  matmul,
  mul,
  slice,
  split,
  squeeze,
  sub,
  transpose,
  transposeLast,
  unsqueeze,
} from "../../onnx/functions/index.ts";
import type { InferContext, Operator, Value } from "../../onnx/ir.ts";
import { type Dim, formatShape, type Shape } from "../../onnx/shape.ts";
import { tensorOfNumbers } from "../../onnx/tensor.ts";
import { composite } from "./composite.ts";
import { knownSize } from "./known.ts";
import { inputOf } from "./rule.ts";

/** What passes from step to step, [1, batch, hidden] each, the output first; absent at the start, where it is zero. */
export type RecurrentState = readonly (Value | undefined)[];

/** What a cell is made from, of one direction. */
export interface CellParts {
  /** [gates·hidden, hidden] */
  readonly recurrence: Value;
  /** Of the input and of the recurrence, [gates·hidden] each. */
  readonly biases: readonly [Value, Value] | undefined;
  /** The further weight some cells have, [1, …]. */
  readonly peepholes: Value | undefined;
  readonly hidden: number;
  readonly attributes: Attributes;
  /** The cell's activation functions in ONNX's order. */
  readonly activations: readonly Activation[];
  /** Limits what goes into an activation where the node says so. */
  readonly limit: (preactivation: Value) => Value;
  /** Whether activations are the usual ones, nothing limits them and there are no peepholes. */
  readonly isPlain: boolean;
}

/** A function of one number. */
export type Activation = (x: Value) => Value;

/** One step of a recurrent network. */
export interface Cell {
  /** Added to the input of all steps at once, [gates·hidden]. */
  readonly bias: Value | undefined;
  /** @param input - W·x + bias of one step, [1, batch, gates·hidden] */
  step(input: Value, state: RecurrentState): readonly Value[];
  /**
   * All steps at once from the zero state, where there is a shorter way.
   *
   * @param entering - W·x + bias of all steps, [steps, batch, gates·hidden]
   */
  readonly all?: ((entering: Value) => LstmStates) | undefined;
}

/** A kind of recurrent network. */
export interface RecurrentKind {
  readonly type: string;
  readonly gates: number;
  /** How many values pass from step to step. */
  readonly states: number;
  /** The activations of one direction when the node names none. */
  readonly activations: readonly string[];
  /** Where among the inputs a weight stands that is not in all kinds. */
  readonly peepholes?: number;
  readonly limits?: string;
  cell(parts: CellParts): Cell;
}

/** Each step adds nodes to forward and backward pass: beyond this, compiling them takes minutes. */
const MOST_STEPS = 1024;

/**
 * A recurrent operator, unrolled over its steps: W·x of all steps is one product, a step has only R·h left.
 *
 * Sequences shorter than others (`sequence_lens`) keep their state where they have ended, by masks; backwards they start with
 * their own last element in the same way.
 */
export function recurrent(kind: RecurrentKind): Operator {
  const own = kind.limits === undefined ? "" : ` ${kind.limits}`;
  return composite(kind.type, (context) => unroll(context, kind), {
    limits:
      `The number of steps has to be known before the graph runs, at most ${MOST_STEPS}: they are unrolled. Activations ` +
      `${Object.values(ACTIVATIONS).join(", ")}.${own}`,
  });
}

function unroll(context: InferContext, kind: RecurrentKind): readonly Value[] {
  const { attributes, inputs } = context;
  const isBatchFirst = numberAttribute(attributes, "layout", 0) !== 0;
  const stepFirst = (value: Value): Value => (isBatchFirst ? transpose(value, [1, 0, 2]) : value);
  const given = inputOf(context, 0);
  const [w, r] = [inputOf(context, 1), inputOf(context, 2)];
  const directions = directionsOf(attributes);
  const hidden = knownSize(r, 2);
  requireShape(w, [directions.length, kind.gates * hidden, given.shape[2] ?? 0]);
  requireShape(r, [directions.length, kind.gates * hidden, hidden]);
  const x = stepFirst(given); // [steps, batch, features]
  const steps = stepsOf(x);
  const masks = inputs[4] && masksOf(inputs[4], steps, x);
  const initial = Array.from({ length: kind.states }, (_, index) => {
    const state = inputs[5 + index];
    return state && split(stepFirst(state), ones(directions.length), 0);
  });

  const results = directions.map((isReverse, direction) => {
    const part = (value: Value): Value =>
      squeeze(split(value, ones(directions.length), 0)[direction] as Value, [0]);
    const peepholes = kind.peepholes === undefined ? undefined : inputs[kind.peepholes];
    const size = kind.gates * hidden;
    const biases = inputs[3] && (split(part(inputs[3]), [size, size], 0) as readonly [Value, Value]);
    const activations = activationsOf(attributes, kind, direction, directions.length);
    const limit = limitOf(attributes);
    const cell = kind.cell({
      recurrence: part(r),
      biases,
      peepholes: peepholes && part(peepholes),
      hidden,
      attributes,
      activations,
      limit,
      isPlain:
        peepholes === undefined &&
        numberAttribute(attributes, "clip", 0) === 0 &&
        hasUsualActivations(attributes, kind),
    });
    const projected = matmul(x, transposeLast(part(w)));
    const entering = cell.bias === undefined ? projected : add(projected, cell.bias);
    if (cell.all !== undefined && masks === undefined && initial.every((state) => state === undefined)) {
      const turned = (value: Value): Value => (isReverse ? backwards(value, steps) : value);
      const { outputs, last } = cell.all(turned(entering));
      return { outputs: unsqueeze(turned(outputs), [1]), state: last };
    }
    const step = split(entering, ones(steps), 0);
    const outputs = new Array<Value>(steps);
    let state: RecurrentState = initial.map((parts) => parts?.[direction]);
    for (let count = 0; count < steps; count++) {
      const at = isReverse ? steps - 1 - count : count;
      const next = cell.step(step[at] as Value, state);
      const mask = masks?.[at];
      outputs[at] = mask === undefined ? (next[0] as Value) : mul(mask, next[0] as Value);
      state = mask === undefined ? next : next.map((value, index) => keptWhere(mask, value, state[index]));
    }
    return { outputs: unsqueeze(concat(outputs, 0), [1]), state: state as readonly Value[] };
  });

  const all = concat(
    results.map(({ outputs }) => outputs),
    1,
  ); // [steps, directions, batch, hidden]
  const last = Array.from({ length: kind.states }, (_, index) =>
    stepFirst(
      concat(
        results.map(({ state }) => state[index] as Value),
        0,
      ),
    ),
  );
  return [isBatchFirst ? transpose(all, [2, 0, 1, 3]) : all, ...last];
}

function backwards(x: Value, size: number): Value {
  return slice(x, [{ axis: 0, start: -1, end: -(size + 1), step: -1 }]);
}

/** Which directions there are: true is backwards. */
function directionsOf(attributes: Attributes): readonly boolean[] {
  const word = stringAttribute(attributes, "direction", "forward");
  if (word === "forward") return [false];
  if (word === "reverse") return [true];
  if (word === "bidirectional") return [false, true];
  throw new LetheError(
    "data",
    "DATA_ATTRIBUTE",
    `Expected direction forward, reverse or bidirectional, got ${word}.`,
  );
}

function stepsOf(x: Value): number {
  const steps = knownSize(x, 0);
  if (steps >= 1 && steps <= MOST_STEPS) return steps;
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected 1 to ${MOST_STEPS} steps, which are unrolled, got ${steps}. Cut the sequences shorter.`,
  );
}

/** 1 where a step belongs to its sequence, else 0: for each step [1, batch, 1]. */
function masksOf(lengths: Value, steps: number, x: Value): readonly Value[] {
  const count = Array.from({ length: steps }, (_, step) => step);
  const at = x.graph.constant(tensorOfNumbers(lengths.dtype, [steps, 1, 1], count));
  return split(cast(greater(unsqueeze(lengths, [0, 2]), at), x.dtype), ones(steps), 0);
}

function keptWhere(mask: Value, next: Value, before: Value | undefined): Value {
  return before === undefined ? mul(mask, next) : add(before, mul(mask, sub(next, before)));
}

const ACTIVATIONS: Readonly<Record<string, string>> = {
  sigmoid: "Sigmoid",
  tanh: "Tanh",
  relu: "Relu",
  softsign: "Softsign",
  softplus: "Softplus",
};

function activationsOf(
  attributes: Attributes,
  kind: RecurrentKind,
  direction: number,
  directions: number,
): readonly Activation[] {
  const { activations } = attributes;
  const count = kind.activations.length;
  const named = activations?.type === "strings" ? activations.value : undefined;
  if (named !== undefined && named.length !== count * directions) {
    throw new LetheError(
      "data",
      "DATA_ATTRIBUTE",
      `Expected ${count * directions} activations, got ${named.length}.`,
    );
  }
  return (named?.slice(direction * count, (direction + 1) * count) ?? kind.activations).map((word) => {
    const type = ACTIVATIONS[word.toLowerCase()];
    if (type !== undefined) return (x) => x.graph.apply(type, [x]);
    throw new LetheError(
      "data",
      "DATA_ATTRIBUTE",
      `Expected activations among ${Object.values(ACTIVATIONS).join(", ")}, got ${word}.`,
    );
  });
}

function hasUsualActivations({ activations }: Attributes, kind: RecurrentKind): boolean {
  if (activations?.type !== "strings") return true;
  const usual = kind.activations.map((word) => word.toLowerCase());
  return activations.value.every((word, index) => word.toLowerCase() === usual[index % usual.length]);
}

function limitOf(attributes: Attributes): (value: Value) => Value {
  const bound = numberAttribute(attributes, "clip", Number.POSITIVE_INFINITY);
  return Number.isFinite(bound) && bound > 0 ? (value) => clip(value, -bound, bound) : (value) => value;
}

function requireShape(value: Value, expected: Shape): void {
  const fits = (dim: Dim, axis: number): boolean =>
    dim === value.shape[axis] || typeof dim === "string" || typeof value.shape[axis] === "string";
  if (value.shape.length === expected.length && expected.every(fits)) return;
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected weights of shape ${formatShape(expected)}, got ${formatShape(value.shape)} in \`${value.name}\`.`,
  );
}

function ones(count: number): number[] {
  return new Array<number>(count).fill(1);
}
