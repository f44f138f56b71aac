import { LetheError } from "../kernel/errors.ts";
import { concat, gather, squeeze, unsqueeze } from "./functions/index.ts";
import type { Graph } from "./graph.ts";
import type { Value } from "./ir.ts";
import type { GraphProto, NodeProto } from "./proto/onnx_pb.js";
import { normalizeAxis } from "./shape.ts";
import { numbersOf, tensorOfNumbers } from "./tensor.ts";

/** What is read of the nodes that hold graphs; a graph has only what they come to. */
export const controlFlowLimits: Readonly<Record<string, string>> = {
  If: "The condition has to be known before the graph runs; the branch taken stands in place of the node.",
  Loop:
    "The number of trips has to be known before the graph runs, and the condition in each; unrolled, at most 1024 trips, no " +
    "loop inside a loop. Tensors stored in the body are constants.",
  Scan: "The length of the scanned axes has to be known; unrolled as a Loop.",
};

/** A node whose attributes are graphs. */
export interface ControlFlow {
  readonly graph: Graph;
  readonly node: NodeProto;
  readonly inputs: readonly (Value | undefined)[];
  /** Set inside the body of a loop, where no other is read: their trips would multiply. */
  readonly isInLoop: boolean;
  /** Reads a body with values for its inputs into the graph. */
  readonly readBody: (body: GraphProto, given: readonly Value[], isInLoop: boolean) => readonly Value[];
}

/** Beyond this the unrolled graph takes minutes to compile. */
const MOST_TRIPS = 1024;

/** True for the nodes {@link inlineControlFlow} takes. */
export function isControlFlow(node: NodeProto): boolean {
  return node.opType in controlFlowLimits;
}

/** A node, and those of the graphs among its attributes: whatever may read a value. */
export function withNested(node: NodeProto): readonly NodeProto[] {
  return [node, ...node.attribute.flatMap(({ g }) => g?.node.flatMap(withNested) ?? [])];
}

/**
 * What an If, Loop or Scan comes to: the branch taken, or the body once for each trip.
 *
 * @returns the values of the node's outputs
 * @throws LETHE_DATA_OPERATOR where that depends on what the graph computes when it runs
 */
export function inlineControlFlow(flow: ControlFlow): readonly Value[] {
  if (flow.node.opType === "If") return branch(flow);
  if (flow.isInLoop) throw refusal(flow, "no loop inside of another, whose trips would multiply");
  return flow.node.opType === "Loop" ? loop(flow) : scan(flow);
}

function branch(flow: ControlFlow): readonly Value[] {
  const holds = truthOf(flow.inputs[0]);
  if (holds === undefined) {
    throw refusal(flow, "a condition that is known before the graph runs, got a computed one");
  }
  return flow.readBody(bodyOf(flow, holds ? "then_branch" : "else_branch"), [], flow.isInLoop);
}

/** The body sees the number of the trip, the condition and the state; it gives the condition, the state and rows of results. */
function loop(flow: ControlFlow): readonly Value[] {
  const { graph, inputs } = flow;
  const body = bodyOf(flow, "body");
  const [limit, first, ...initial] = inputs;
  const most = limit === undefined ? Number.POSITIVE_INFINITY : integerOf(limit);
  if (most === undefined) throw refusal(flow, "a number of trips that is known, got a computed one");
  let condition = first ?? graph.constant(tensorOfNumbers("bool", [], [1]));
  let state = initial.map((value) => present(flow, value));
  const rows: (readonly Value[])[] = [];
  for (let trip = 0; trip < most; trip++) {
    const goesOn = truthOf(condition);
    if (goesOn === undefined)
      throw refusal(flow, "a condition that is known in each trip, got a computed one");
    if (!goesOn) break;
    if (trip >= MOST_TRIPS) throw refusal(flow, `at most ${MOST_TRIPS} trips, which are unrolled`);
    const results = flow.readBody(body, [graph.scalar(trip, "int64"), condition, ...state], true);
    condition = present(flow, results[0]);
    state = results.slice(1, 1 + state.length);
    rows.push(results.slice(1 + state.length));
  }
  const scanned = body.output.length - 1 - state.length;
  return [...state, ...stacked(flow, rows, new Array<number>(scanned).fill(0))];
}

/** The body sees the state and a slice of each scanned input; it gives the state and rows of results. */
function scan(flow: ControlFlow): readonly Value[] {
  const { graph, node } = flow;
  const body = bodyOf(flow, "body");
  const given = flow.inputs.map((value) => present(flow, value));
  const scannedCount = Number(node.attribute.find(({ name }) => name === "num_scan_inputs")?.i ?? 0);
  let state: readonly Value[] = given.slice(0, given.length - scannedCount);
  const scanned = given.slice(given.length - scannedCount).map((value, index) => {
    const axis = normalizeAxis(numberAt(node, "scan_input_axes", index), value.shape.length);
    return {
      value,
      axis,
      size: value.shape[axis],
      isReverse: numberAt(node, "scan_input_directions", index) === 1,
    };
  });
  const trips = scanned[0]?.size;
  if (typeof trips !== "number" || trips > MOST_TRIPS || scanned.some(({ size }) => size !== trips)) {
    throw refusal(
      flow,
      `scanned axes of one known size, at most ${MOST_TRIPS}, got ${scanned.map(({ size }) => size)}`,
    );
  }
  const rows: (readonly Value[])[] = [];
  for (let trip = 0; trip < trips; trip++) {
    const slices = scanned.map(({ value, axis, isReverse }) => {
      const at = isReverse ? trips - 1 - trip : trip;
      return squeeze(gather(value, graph.integers([at]), axis), [axis]);
    });
    const results = flow.readBody(body, [...state, ...slices], true);
    rows.push(results.slice(state.length));
    state = results.slice(0, state.length);
  }
  const outputs = body.output.length - state.length;
  const axes = Array.from({ length: outputs }, (_, index) => numberAt(node, "scan_output_axes", index));
  const isReversed = axes.map((_, index) => numberAt(node, "scan_output_directions", index) === 1);
  return [...state, ...stacked(flow, rows, axes, isReversed)];
}

/** The rows of all trips along a new axis. */
function stacked(
  flow: ControlFlow,
  rows: readonly (readonly Value[])[],
  axes: readonly number[],
  isReversed: readonly boolean[] = [],
): Value[] {
  return axes.map((axis, index) => {
    const values = rows.map((row) => present(flow, row[index]));
    const [first] = values;
    if (first === undefined) throw refusal(flow, "at least one trip of a body that gives rows, got none");
    const place = normalizeAxis(axis, first.shape.length + 1);
    const slices = values.map((value) => unsqueeze(value, [place]));
    return concat(isReversed[index] ? slices.reverse() : slices, place);
  });
}

function bodyOf(flow: ControlFlow, name: string): GraphProto {
  const body = flow.node.attribute.find((attribute) => attribute.name === name)?.g;
  if (body === undefined) throw refusal(flow, `a graph as attribute \`${name}\`, got none`);
  return body;
}

function numberAt(node: NodeProto, name: string, index: number): number {
  return Number(node.attribute.find((attribute) => attribute.name === name)?.ints[index] ?? 0);
}

function present(flow: ControlFlow, value: Value | undefined): Value {
  if (value === undefined) throw refusal(flow, "all its values, got fewer");
  return value;
}

function integerOf({ constant, contents }: Value): number | undefined {
  const [element] = constant === undefined ? (contents ?? []) : numbersOf(constant);
  return typeof element === "number" ? element : undefined;
}

function truthOf(value: Value | undefined): boolean | undefined {
  const known = value && integerOf(value);
  return known === undefined ? undefined : known !== 0;
}

function refusal({ node }: ControlFlow, expected: string): LetheError {
  const where = node.name || node.output[0] || node.opType;
  return new LetheError(
    "data",
    "DATA_OPERATOR",
    `Expected \`${node.opType}\` in node \`${where}\` with ${expected}. Export the model without control flow: traced, with ` +
      "fixed sizes, in evaluation mode.",
    { details: { operator: node.opType, node: where } },
  );
}
