import { digestArrays } from "../kernel/digest.ts";
import { isLetheError, throwIfCancelled } from "../kernel/errors.ts";
import type { Progress, Scalars } from "../kernel/events.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { Feeds } from "../training/feeds.ts";
import type { CompiledStep, TrainerState } from "../training/objective.ts";
import type { MethodRequest, Stop } from "./contract.ts";

/** Steps of one objective within an epoch. */
export interface Pass {
  readonly step: CompiledStep;
  /** What each step is fed: a pure function of the epoch, so that a resumed run sees the same. */
  readonly feeds: Iterable<Feeds>;
  readonly learningRate: number | ((step: number) => number);
}

/** Where a loop stands after an epoch. */
export interface Reached {
  readonly state: TrainerState;
  /** Epochs done. */
  readonly epoch: number;
  /** Mean loss of each pass in this epoch, in their order. */
  readonly losses: readonly number[];
  /** What the loop carries from epoch to epoch beside the state. */
  readonly carried: ParameterSet;
}

/** What a look at the model after an epoch leads to. */
export interface Look {
  /** Ends the loop. */
  readonly stop?: Stop;
  /** The result, where it is not the state reached: an earlier model that a rule goes back to. */
  readonly weights?: ParameterSet;
  readonly carried?: ParameterSet;
  readonly scalars?: Scalars;
}

/** A loop over objectives. */
export interface Loop {
  /** At most so many. */
  readonly epochs: number;
  /** The passes of an epoch (from 0), in order; they share weights and optimizer state. */
  passes(epoch: number): readonly Pass[];
  /** Called after every epoch: measurements, stopping rules. */
  look?(reached: Reached): Promise<Look>;
}

/** Steps between two `step` events: a bar that moves, not a flood. */
const EVENT_EVERY = 10;

/**
 * Runs a loop: the frame of every method that takes optimizer steps.
 *
 * A loss that is not finite takes the model back to the last epoch that was, and ends the loop with the stop `ruin`. A
 * checkpoint is given after every epoch; a resumed loop goes on from it bit for bit.
 *
 * @param start - the weights before the first step
 * @param stage - which loop of the method this is, from 0
 * @throws LETHE_CANCELLED; LETHE_NUMERIC_LOSS when the very first epoch diverges
 */
export async function* iterate(
  request: Pick<MethodRequest, "resume" | "onCheckpoint" | "signal">,
  start: ParameterSet,
  loop: Loop,
  stage = 0,
): Progress<{ readonly weights: ParameterSet; readonly stop: Stop; readonly state: TrainerState }> {
  const { resume, signal } = request;
  if (resume !== undefined && resume.stage > stage) return passed(resume.state);
  const isHere = resume !== undefined && resume.stage === stage;
  let state: TrainerState | undefined = isHere ? resume.state : undefined;
  let carried: ParameterSet = isHere ? resume.carried : new Map();
  for (let epoch = isHere ? resume.epoch : 0; epoch < loop.epochs; epoch++) {
    const before = state;
    const losses: number[] = [];
    try {
      for (const { step, feeds, learningRate } of loop.passes(epoch)) {
        state ??= step.start(start);
        const rateOf = typeof learningRate === "number" ? () => learningRate : learningRate;
        let steps = 0;
        let sum = 0;
        for (const fed of feeds) {
          throwIfCancelled(signal);
          const run = await step.step(state, fed, rateOf(steps));
          state = run.state;
          sum += run.loss;
          if (++steps % EVENT_EVERY === 0) {
            yield {
              type: "step",
              step: epoch,
              of: loop.epochs,
              scalars: { loss: run.loss, epoch: epoch + 1 },
            };
          }
        }
        if (steps > 0) losses.push(sum / steps);
      }
    } catch (error) {
      if (before === undefined || !isLetheError(error) || error.code !== "LETHE_NUMERIC_LOSS") throw error;
      const reason = `The loss was no longer finite in epoch ${epoch + 1}; the model of epoch ${epoch} is kept. Lower the learning rate.`;
      yield { type: "notice", code: "RUIN", message: reason, details: { epoch } };
      return { weights: before.weights, state: before, stop: { by: "ruin", epoch, reason } };
    }
    if (state === undefined) break;
    const look = (await loop.look?.({ state, epoch: epoch + 1, losses, carried })) ?? {};
    carried = look.carried ?? carried;
    yield {
      type: "step",
      step: epoch + 1,
      of: loop.epochs,
      scalars: { loss: losses.at(-1) ?? 0, epoch: epoch + 1, ...look.scalars },
    };
    if (look.stop !== undefined) return { weights: look.weights ?? state.weights, state, stop: look.stop };
    if (request.onCheckpoint !== undefined) {
      await request.onCheckpoint({ stage, epoch: epoch + 1, state, carried });
      yield { type: "checkpoint", step: state.step, digest: digestArrays(state.weights) };
    }
  }
  const reason = `All ${loop.epochs} epochs were run.`;
  const finished = state ?? { weights: start, optimizer: new Map(), step: 0 };
  return { weights: finished.weights, state: finished, stop: { by: "schedule", epoch: loop.epochs, reason } };
}

/** A stage that an interrupted run had left behind: the next one goes on from its own checkpoint. */
function passed(state: TrainerState): { weights: ParameterSet; stop: Stop; state: TrainerState } {
  return {
    weights: state.weights,
    state,
    stop: { by: "schedule", epoch: 0, reason: "Done before the interruption." },
  };
}

/** A loop over one objective. */
export interface Minimisation extends Pick<Loop, "epochs" | "look">, Pick<Pass, "learningRate"> {
  readonly step: CompiledStep;
  feeds(epoch: number): Iterable<Feeds>;
  /** The weights before the first step; those of the trained model when left out. */
  readonly start?: ParameterSet;
}

/** {@link iterate} over one objective, an epoch being one stream of feeds. */
export function minimise(
  request: Pick<MethodRequest, "weights" | "resume" | "onCheckpoint" | "signal">,
  { step, feeds, learningRate, epochs, look, start = request.weights }: Minimisation,
): ReturnType<typeof iterate> {
  const passes = (epoch: number): readonly Pass[] => [{ step, learningRate, feeds: feeds(epoch) }];
  return iterate(request, start, { epochs, passes, ...(look === undefined ? {} : { look }) });
}
