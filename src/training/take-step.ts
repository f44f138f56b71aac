import { LetheError } from "../kernel/errors.ts";
import { sizeOf, type TensorLayout } from "../kernel/layout.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { NumericArray, Program } from "../runtime/program.ts";

/** Weights and optimizer state between two steps. Plain data: saving it and going on gives the same bits. */
export interface TrainerState {
  readonly weights: ParameterSet;
  /** By `SLOT:NAME`. */
  readonly optimizer: ParameterSet;
  /** Steps taken. */
  readonly step: number;
}

/** What a step's run gives: the state after it, the loss before it, and everything else the graph computes. */
export interface TakenStep {
  readonly state: TrainerState;
  readonly loss: number;
  readonly results: Readonly<Record<string, NumericArray>>;
}

/** The state before the first step: given weights, optimizer state zero. */
export function startState(
  weights: ParameterSet,
  slots: readonly Pick<TensorLayout, "name" | "shape">[],
): TrainerState {
  return {
    weights,
    optimizer: new Map(slots.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))])),
    step: 0,
  };
}

/**
 * Runs a step graph once, by the names {@link buildStepGraph} gives: weights, `SLOT:NAME`, `learning-rate` and `step` in,
 * `loss`, `next:NAME` and `next:SLOT:NAME` out. Tensors the graph gives no successor are those of `state`, not copies.
 *
 * @throws LETHE_NUMERIC_LOSS when the loss is NaN or infinite
 */
export async function takeStep(
  program: Program,
  state: TrainerState,
  feeds: Readonly<Record<string, NumericArray>>,
  learningRate: number,
): Promise<TakenStep> {
  const step = state.step + 1;
  const results = await program.run({
    ...feeds,
    "learning-rate": Float32Array.of(learningRate),
    step: Float32Array.of(step),
    ...Object.fromEntries(state.weights),
    ...Object.fromEntries(state.optimizer),
  });
  const loss = finiteLoss(results, `step ${step}`, { step });
  const next = (tensors: ParameterSet): ParameterSet =>
    new Map([...tensors].map(([name, old]) => [name, (results[`next:${name}`] ?? old) as Float32Array]));
  return { state: { weights: next(state.weights), optimizer: next(state.optimizer), step }, loss, results };
}

/**
 * The loss of a run.
 *
 * @param where - for the message
 * @throws LETHE_NUMERIC_LOSS when it is NaN or infinite
 */
export function finiteLoss(
  results: Readonly<Record<string, NumericArray>>,
  where: string,
  details: Readonly<Record<string, number>> = {},
): number {
  const loss = (results.loss as Float32Array)[0] as number;
  if (Number.isFinite(loss)) return loss;
  throw new LetheError(
    "numeric",
    "NUMERIC_LOSS",
    `Expected a finite loss, got ${loss} in ${where}. Lower the learning rate or look for NaN in the data.`,
    { details },
  );
}
