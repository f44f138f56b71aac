import type fc from "fast-check";
import type { RandomStream } from "../../src/kernel/key.ts";
import type { Value } from "../../src/onnx/ir.ts";

/** How an input of a case is made. */
export interface InputSpec {
  readonly shape: readonly number[];
  /** Real numbers unless said otherwise. Only real inputs are differentiated. */
  readonly dtype?: "int64" | "bool";
  /** Leave the size of axis 0 open, under the name `batch`. */
  readonly isBatch?: boolean;
  readonly sample: Sampler;
}

/** Draws the elements of an input. */
export type Sampler = (random: RandomStream, count: number) => number[];

/** One use of an operator with its shapes and attributes settled. */
export interface OperatorCase {
  readonly inputs: readonly InputSpec[];
  /** Applies the operator; its real outputs are tested, and differentiated. */
  readonly build: (...values: Value[]) => Value | readonly Value[];
  /** Set for an operator without a gradient. */
  readonly isForwardOnly?: boolean;
}

/** The random cases of each operator. */
export type CaseTable = Readonly<Record<string, fc.Arbitrary<OperatorCase>>>;

/** A real input. */
export const real = (shape: readonly number[], sample: Sampler = normal, isBatch = false): InputSpec => ({
  shape,
  sample,
  isBatch,
});

/** Standard normal numbers. */
export const normal: Sampler = (random, count) => Array.from({ length: count }, () => random.normal());

/** Numbers in [0.5, 2). */
export const positive: Sampler = (random, count) =>
  Array.from({ length: count }, () => 0.5 + 1.5 * random.uniform());

/** Numbers at least 0.2 away from 0, of both signs: for functions with a kink or a pole there. */
export const awayFromZero: Sampler = (random, count) =>
  Array.from({ length: count }, () => (random.below(2) === 0 ? -1 : 1) * (0.2 + random.uniform()));

/** Numbers 0.1 apart in random order, shifted: no two tie, nor do those of another shift. */
export const distinct =
  (shift = 0): Sampler =>
  (random, count) =>
    Array.from(random.permutation(count), (rank) => (rank - count / 2) * 0.1 + shift);

/** Integers in [0, bound). */
export const below =
  (bound: number): Sampler =>
  (random, count) =>
    Array.from({ length: count }, () => random.below(bound));
