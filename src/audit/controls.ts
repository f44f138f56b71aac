import { batchFiller } from "../data/batches.ts";
import type { Samples } from "../data/dataset.ts";
import { isLetheError, throwIfCancelled } from "../kernel/errors.ts";
import { nested, type Progress } from "../kernel/events.ts";
import { deriveKey, type Key, randomStream } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { gradientAscent } from "../methods/gradient-ascent.ts";
import { type Architecture, initialWeights } from "../models/architecture.ts";
import { headOf } from "../models/head.ts";
import type { RuntimeOptions } from "../runtime/program.ts";
import { crossEntropy } from "../training/losses.ts";
import { compileStep } from "../training/objective.ts";
import { createPredictor } from "../training/predictor.ts";
import { type Recipe, rateOf } from "../training/recipe.ts";

/** What controls are made of. */
export interface ControlRequest {
  readonly architecture: Architecture;
  /** The original model. */
  readonly weights: ParameterSet;
  readonly recipe: Recipe;
  readonly forget: Samples;
  readonly retain: Samples;
  readonly key: Key;
  readonly runtime: RuntimeOptions;
  readonly signal?: AbortSignal | undefined;
}

/** Models that every audit has to fail, by id; `head-only` is left out for models that no dense layer ends. */
export async function* failingControls(
  request: ControlRequest,
): Progress<Readonly<Record<string, ParameterSet>>> {
  const { architecture, key } = request;
  const headOnly = yield* nested(headRetrained(request));
  return {
    "random-init": initialWeights(architecture, deriveKey(key, "random-init")),
    ruin: yield* nested(ruined(request)),
    ...(headOnly === undefined ? {} : { "head-only": headOnly }),
  };
}

/** Halvings of the rate until an ascent stays finite: from the training's own rate down to a thousandth. */
const MOST_HALVINGS = 10;

/** The original after ascent on the forget samples at the training's own rate, without a guard. */
async function* ruined(request: ControlRequest): Progress<ParameterSet> {
  const { architecture, weights, recipe, forget, key, runtime, signal } = request;
  for (let halving = 0; ; halving++) {
    const run = gradientAscent.run(
      { architecture, weights, scope: "sample", forgetClasses: [], recipe, key, runtime, signal, forget },
      { learningRate: rateOf(recipe) / 2 ** halving },
    );
    try {
      const { weights: driven } = yield* nested(run);
      if (halving === MOST_HALVINGS || (await answersIn(request, driven))) return driven;
    } catch (error) {
      // Past all numbers: a little slower, then.
      if (!isLetheError(error, "numeric") || halving === MOST_HALVINGS) throw error;
    }
  }
}

/** Whether weights give scores that are numbers: finite weights may still be too large for that. */
async function answersIn(
  { architecture, forget, retain, runtime }: ControlRequest,
  weights: ParameterSet,
): Promise<boolean> {
  await using predictor = await createPredictor(architecture, runtime);
  for (const samples of [forget, retain]) {
    if (!(await predictor.logitsOf(weights, samples)).every(Number.isFinite)) return false;
  }
  return true;
}

/**
 * The original with a new last layer, trained on the retain samples by the recipe while all other layers are held: it answers as a retrained model
 * might and has forgotten nothing below.
 */
async function* headRetrained(request: ControlRequest): Progress<ParameterSet | undefined> {
  const { architecture, weights, recipe, retain, key, runtime, signal } = request;
  const names = headNames(architecture);
  if (names === undefined) return undefined;
  await using compiled = await compileStep(
    architecture,
    {
      optimizer: recipe.optimizer,
      trained: (name) => names.has(name),
      objective: (context) => {
        // Normalisation keeps its statistics: they are part of what is held.
        const { logits } = context.forward(context.features("retain"), { mode: "inference" });
        return { loss: crossEntropy(logits, context.labels("retain")) };
      },
    },
    runtime,
  );
  const fresh = initialWeights(architecture, deriveKey(key, "head"));
  let state = compiled.start(
    new Map(
      [...weights].map(([name, values]) => [
        name,
        (names.has(name) ? fresh.get(name) : values) as Float32Array,
      ]),
    ),
  );
  const fill = batchFiller(retain, recipe.batchSize);
  for (let epoch = 0; epoch < recipe.epochs; epoch++) {
    const order = randomStream(deriveKey(key, "head order", epoch)).permutation(retain.count);
    for (let at = 0; at < order.length; at += recipe.batchSize) {
      throwIfCancelled(signal);
      const { features, labels } = fill(order.subarray(at, at + recipe.batchSize));
      ({ state } = await compiled.step(state, { retain: { features, labels } }, rateOf(recipe)));
    }
    yield { type: "step", step: epoch + 1, of: recipe.epochs, scalars: {} };
  }
  return state.weights;
}

function headNames(architecture: Architecture): ReadonlySet<string> | undefined {
  try {
    const { weight, bias } = headOf(architecture);
    return new Set([weight.name, ...(bias === undefined ? [] : [bias.name])]);
  } catch (error) {
    if (isLetheError(error) && error.code === "LETHE_DATA_NO_HEAD") return undefined;
    throw error;
  }
}
