import type { Attributes } from "../../../src/onnx/attributes.ts";
import type { NdArray } from "./nd-array.ts";

/** What an evaluator is given of a node. */
export interface Application {
  readonly inputs: readonly (NdArray | undefined)[];
  readonly attributes: Attributes;
  readonly outputCount: number;
}

/** One operator, computed the slow and obvious way. */
export type Evaluator = (application: Application) => readonly NdArray[];

/** Evaluators by operator. */
export type Evaluators = Readonly<Record<string, Evaluator>>;

/** An input that must be there. */
export function inputAt({ inputs }: Application, index: number): NdArray {
  const input = inputs[index];
  if (input === undefined) throw new Error(`input ${index} is missing`);
  return input;
}

/** An axis counted from the front. */
export function axisFrom(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
