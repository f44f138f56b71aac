import type { Value } from "../../src/onnx/ir.ts";
import { operatorKey } from "../../src/onnx/operator.ts";
import { numbersOf } from "../../src/onnx/tensor.ts";
import { attentionEvaluators } from "./interpreter/attention.ts";
import { elementwiseEvaluators } from "./interpreter/elementwise.ts";
import type { Evaluators } from "./interpreter/evaluator.ts";
import { indexingEvaluators } from "./interpreter/indexing.ts";
import { linearEvaluators } from "./interpreter/linear.ts";
import type { NdArray } from "./interpreter/nd-array.ts";
import { normalizationEvaluators } from "./interpreter/normalization.ts";
import { recurrentEvaluators } from "./interpreter/recurrent.ts";
import { reductionEvaluators } from "./interpreter/reduction.ts";
import { resizeEvaluators } from "./interpreter/resize.ts";
import { spatialEvaluators } from "./interpreter/spatial.ts";
import { structureEvaluators } from "./interpreter/structure.ts";

/** Every operator in double precision, written from its definition and not from what the engine does. */
export const evaluators: Evaluators = {
  ...attentionEvaluators,
  ...elementwiseEvaluators,
  ...indexingEvaluators,
  ...linearEvaluators,
  ...normalizationEvaluators,
  ...recurrentEvaluators,
  ...reductionEvaluators,
  ...resizeEvaluators,
  ...spatialEvaluators,
  ...structureEvaluators,
};

/**
 * Evaluates values of a graph in double precision, slowly.
 *
 * @param feeds - the inputs' arrays by name
 */
export function interpret(outputs: readonly Value[], feeds: Readonly<Record<string, NdArray>>): NdArray[] {
  const done = new Map<Value, NdArray>();
  for (const value of neededFor(outputs)) {
    if (value.constant !== undefined) {
      done.set(value, { shape: value.constant.shape, data: Float64Array.from(numbersOf(value.constant)) });
    } else if (value.node === undefined) {
      const feed = feeds[value.name];
      if (feed === undefined) throw new Error(`no value for input ${value.name}`);
      done.set(value, feed);
    } else if (!done.has(value)) {
      const { node } = value;
      const key = operatorKey(node.type, node.domain);
      const evaluate = evaluators[key];
      if (evaluate === undefined) throw new Error(`no evaluator for ${key}`);
      const inputs = node.inputs.map((input) => input && done.get(input));
      const results = evaluate({ inputs, attributes: node.attributes, outputCount: node.outputs.length });
      node.outputs.forEach((output, index) => {
        const result = results[index];
        if (result !== undefined) done.set(output, result);
      });
    }
  }
  return outputs.map((output) => done.get(output) as NdArray);
}

/** The values the outputs need, in order of evaluation. */
function neededFor(outputs: readonly Value[]): Value[] {
  const needed = new Set<Value>();
  const pending = [...outputs];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (needed.has(value)) continue;
    needed.add(value);
    for (const input of value.node?.inputs ?? []) if (input !== undefined) pending.push(input);
  }
  return [...needed].sort((a, b) => a.id - b.id);
}
