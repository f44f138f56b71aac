import { LetheError } from "../kernel/errors.ts";
import type { Program, RuntimeOptions } from "../runtime/program.ts";
import { openProgram } from "../runtime/program.ts";
import type { GraphInput } from "../runtime/session.ts";
import { startState, takeStep } from "./take-step.ts";
import type { Trainer } from "./trainer.ts";

/** The prefix of what a step gives back. */
const NEXT = "next:";

/** A trainer read from a file, and what it trains. */
export interface OpenedTrainer extends Trainer {
  /** The tensors a step moves, in the file's order: a local model is these and those that stay as they were sent. */
  readonly trained: readonly GraphInput[];
}

/**
 * Trains with the file of a step graph and nothing else: neither the architecture nor the autodiff that made it. This is all a
 * federated client needs, in Node and in a browser; the loop `train` takes it like any trainer, and its weights are those of
 * {@link createTrainer} (bit for bit with its `lowering` portable: the file holds standard operators, whose sums are rounded in
 * another order than those of blocked convolutions).
 *
 * @param file - what {@link buildStepGraph} gives with an optimizer, written by `writeModel`; the model's input comes first
 * @throws LETHE_DATA_STEP_FILE when the file is no such graph; LETHE_INTERNAL_RUNTIME when the engine cannot read it
 * @example
 * await using trainer = await openTrainer(new Uint8Array(await response.arrayBuffer()));
 * const state = await consume(train(trainer, weights, { samples, epochs: 1, batchSize: 20, learningRate: 0.02, key }));
 */
export async function openTrainer(file: Uint8Array, runtime: RuntimeOptions = {}): Promise<OpenedTrainer> {
  const program = await openProgram(file, runtime);
  const [input] = program.inputs;
  const moved = program.signature.filter(({ name }) => program.outputs.includes(`${NEXT}${name}`));
  if (input === undefined || moved.length === 0 || !isSupervisedStep(program)) {
    await program.dispose();
    throw new LetheError(
      "data",
      "DATA_STEP_FILE",
      "Expected a training step (inputs `labels` and `learning-rate`, outputs `loss` and `next:…`), got another graph. " +
        "Write one with `lethe differentiate --optimizer`.",
    );
  }
  const names = new Set(moved.map(({ name }) => name));
  const isState = ({ name }: GraphInput): boolean => names.has(name.slice(name.indexOf(":") + 1));
  const slots = moved.filter((tensor) => tensor.name.includes(":") && isState(tensor));
  const shapes = slots.map(({ name, shape }) => ({ name, shape: shape.map(Number) }));
  return {
    trained: moved.filter((tensor) => !slots.includes(tensor)),
    start: (weights) => startState(weights, shapes),
    step: (state, features, labels, learningRate) =>
      takeStep(program, state, { [input]: features, labels }, learningRate),
    [Symbol.asyncDispose]: () => program.dispose(),
  };
}

function isSupervisedStep({ inputs, outputs }: Program): boolean {
  return inputs.includes("labels") && inputs.includes("learning-rate") && outputs.includes("loss");
}
