import { digestArrays } from "../kernel/digest.ts";
import { isLetheError, throwIfCancelled } from "../kernel/errors.ts";
import type { Progress } from "../kernel/events.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { Feeds } from "../training/feeds.ts";
import type { CompiledStep, TrainerState } from "../training/objective.ts";
import type { MethodRequest, Stop } from "./contract.ts";
import type { Look, Reached } from "./look.ts";
import { joinTracks, type Tracks, tracksOf } from "./parts/tracks.ts";
import { type UtilityGuard, utilityGuard } from "./parts/utility-guard.ts";

export type { Look, Reached } from "./look.ts";

/** One optimizer step to be taken. */
export interface Order {
  readonly step: CompiledStep;
  readonly feeds: Feeds;
  readonly learningRate: number;
  /** Whose optimizer state it moves: steps of one track share moments and count; one track when left out. */
  readonly track?: string;
}

/** A loop over objectives. */
export interface Loop {
  /** At most so many. */
  readonly epochs: number;
  /** The steps of an epoch (from 0), in order: a pure function of the epoch, so that a resumed run takes the same. */
  steps(epoch: number): Iterable<Order>;
  /** Called after every epoch: measurements, stopping rules. A guard against ruin at the end when left out. */
  readonly look?: ((reached: Reached) => Promise<Look>) | undefined;
  /** The weights before the first step; those of the trained model when left out. */
  readonly start?: ParameterSet | undefined;
}

/** How a loop ended. */
export interface LoopEnd {
  readonly weights: ParameterSet;
  readonly stop: Stop;
  readonly carried: ParameterSet;
}

/** Steps between two `step` events: a bar that moves, not a flood. */
const EVENT_EVERY = 10;

/** What the guard of a loop without a rule of its own needs, as far as a method has it. */
type Guarded = Partial<
  Pick<UtilityGuard, "architecture" | "forgetClasses" | "workbench" | "validation" | "retain">
>;

/** The share of the trained model's accuracy below which a result is no result. */
const LEAST_UTILITY = 0.5;

/**
 * Runs a loop: the frame of every method that takes optimizer steps.
 *
 * A loop without a look of its own is guarded: a last model with less than half of the trained one's accuracy on kept samples gives way to
 * the last that had more. A loss that is not finite takes the model back to the last epoch that was, and ends the loop with the stop `ruin`. A
 * checkpoint is given after every epoch; a resumed loop goes on from it bit for bit.
 *
 * @param stage - which loop of the method this is, from 0
 * @throws LETHE_CANCELLED; LETHE_NUMERIC_LOSS when the very first epoch diverges
 */
export async function* iterate(
  request: Pick<MethodRequest, "weights" | "resume" | "onCheckpoint" | "signal"> & Guarded,
  loop: Loop,
  stage = 0,
): Progress<LoopEnd> {
  const { resume, signal } = request;
  if (resume !== undefined && resume.stage > stage) return passed(resume.state);
  const isHere = resume?.stage === stage;
  const lookAt = loop.look ?? guardOf(request, loop.epochs);
  let weights = isHere ? resume.state.weights : (loop.start ?? request.weights);
  let tracks: Tracks = isHere ? tracksOf(resume.state) : new Map();
  let carried: ParameterSet = isHere ? resume.carried : new Map();
  for (let epoch = isHere ? resume.epoch : 0; epoch < loop.epochs; epoch++) {
    const before = weights;
    let [taken, loss] = [0, 0];
    try {
      for (const { step, feeds, learningRate, track = "" } of loop.steps(epoch)) {
        throwIfCancelled(signal);
        const { optimizer, step: count } = tracks.get(track) ?? step.start(weights);
        const run = await step.step({ weights, optimizer, step: count }, feeds, learningRate);
        weights = run.state.weights;
        tracks = new Map(tracks).set(track, run.state);
        loss = run.loss;
        if (++taken % EVENT_EVERY === 0) {
          yield { type: "step", step: epoch, of: loop.epochs, scalars: { loss, epoch: epoch + 1 } };
        }
      }
    } catch (error) {
      if (epoch === 0 || !isLetheError(error) || error.code !== "LETHE_NUMERIC_LOSS") throw error;
      const reason = `The loss was no longer finite in epoch ${epoch + 1}; the model of epoch ${epoch} is kept. Lower the learning rate.`;
      yield { type: "notice", code: "RUIN", message: reason, details: { epoch } };
      return { weights: before, carried, stop: { by: "ruin", epoch, reason } };
    }
    const state = joinTracks(weights, tracks);
    const look = (await lookAt?.({ state, epoch: epoch + 1, carried })) ?? {};
    carried = look.carried ?? carried;
    if (look.notice !== undefined) yield { type: "notice", ...look.notice, details: {} };
    const scalars = { loss, epoch: epoch + 1, ...look.scalars };
    yield { type: "step", step: epoch + 1, of: loop.epochs, scalars };
    if (look.stop !== undefined) return { weights: look.weights ?? weights, carried, stop: look.stop };
    if (request.onCheckpoint !== undefined) {
      await request.onCheckpoint({ stage, epoch: epoch + 1, state, carried });
      yield { type: "checkpoint", step: state.step, digest: digestArrays(weights) };
    }
  }
  const reason = `All ${loop.epochs} epochs were run.`;
  return { weights, carried, stop: { by: "schedule", epoch: loop.epochs, reason } };
}

function guardOf(request: { readonly weights: ParameterSet } & Guarded, epochs: number): Loop["look"] {
  const { architecture, workbench, forgetClasses = [] } = request;
  if (architecture === undefined || workbench === undefined) return undefined;
  const guard = { ...request, architecture, workbench, forgetClasses };
  return utilityGuard({ ...guard, leastUtility: LEAST_UTILITY, from: epochs });
}

/** A stage that an interrupted run had left behind: the next one goes on from its own checkpoint. */
function passed({ weights }: TrainerState): LoopEnd {
  return {
    weights,
    carried: new Map(),
    stop: { by: "schedule", epoch: 0, reason: "Done before the interruption." },
  };
}

/** The same step for every feed, on one track. */
export function* ordersOf(
  step: CompiledStep,
  feeds: Iterable<Feeds>,
  learningRate: number | ((index: number) => number),
  track = "",
): Generator<Order> {
  let index = 0;
  for (const fed of feeds) {
    yield {
      step,
      feeds: fed,
      learningRate: typeof learningRate === "number" ? learningRate : learningRate(index),
      track,
    };
    index++;
  }
}
