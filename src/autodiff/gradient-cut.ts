import { patternsFor } from "../kernel/name-patterns.ts";
import type { GraphNode, Value } from "../onnx/ir.ts";
import { operatorKey } from "../onnx/operator.ts";

/** Where a model has to be frozen because of operators without a gradient. */
export interface GradientCut {
  /** Whose gradient passes no such operator. */
  readonly trainable: readonly string[];
  /** The others: the fewest that have to be frozen. */
  readonly frozen: readonly string[];
  /** What to do, as a sentence. */
  readonly advice: string;
}

/**
 * Tells the parameters whose gradient exists from those before an operator that has none.
 *
 * @param loss - what is to be differentiated
 * @param wrt - by what
 * @param failed - a node whose rule refused, besides those that have no rule
 */
export function gradientCut(loss: Value, wrt: readonly Value[], failed: GraphNode): GradientCut {
  const between = valuesBefore([loss]);
  const blockers = loss.graph.nodes.filter(
    (node) =>
      node === failed ||
      (node.outputs.some((output) => between.has(output)) &&
        ruleOf(node)?.gradient === undefined &&
        !isConstant(node)),
  );
  const before = valuesBefore(blockers.flatMap((node) => node.inputs.filter((input) => input !== undefined)));
  const names = (blocked: boolean): string[] =>
    wrt.filter((value) => before.has(value) === blocked).map(({ name }) => name);
  const [trainable, frozen] = [names(false), names(true)];
  return { trainable, frozen, advice: adviceFor(trainable, frozen) };
}

function adviceFor(trainable: readonly string[], frozen: readonly string[]): string {
  if (trainable.length === 0)
    return "Every parameter comes before it: replace the operator before the export.";
  const flags = (flag: string, names: readonly string[], others: readonly string[]): string =>
    patternsFor(names, others)
      .map((pattern) => `${flag} '${pattern}'`)
      .join(" ");
  const [train, freeze] = [flags("--train", trainable, frozen), flags("--freeze", frozen, trainable)];
  return (
    `Train only parameters that come after this node (${train.length <= freeze.length ? train : freeze}), ` +
    "or replace the operator before the export."
  );
}

/** The values given and all they depend on differentiably. */
function valuesBefore(values: readonly Value[]): ReadonlySet<Value> {
  const seen = new Set<Value>();
  const pending = [...values];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    if (value.node === undefined || isConstant(value.node)) continue;
    for (const input of value.node.inputs) if (input !== undefined) pending.push(input);
  }
  return seen;
}

const ruleOf = ({ type, domain, outputs }: GraphNode) =>
  outputs[0]?.graph.operators.get(operatorKey(type, domain));

const isConstant = (node: GraphNode): boolean => ruleOf(node)?.isPiecewiseConstant === true;
