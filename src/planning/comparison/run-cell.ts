import type { Samples } from "../../data/dataset.ts";
import { isLetheError } from "../../kernel/errors.ts";
import { consume } from "../../kernel/events.ts";
import { deriveKey, keyFromSeed } from "../../kernel/key.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Method, MethodRequest, Roles, Scope } from "../../methods/contract.ts";
import { findMethod, methods } from "../../methods/index.ts";
import { accuracyOf } from "../../methods/parts/class-accuracy.ts";
import type { Architecture } from "../../models/architecture.ts";
import type { Predictor } from "../../training/predictor.ts";
import type { Recipe } from "../../training/recipe.ts";
import type { FinishedCell } from "./cell-store.ts";
import { type Settings, searchSettings, validationScore } from "./tune.ts";

/** One method on the model of one seed. */
export interface Cell {
  readonly method: string;
  readonly seed: number;
  /** Left out in the seed in which the method is tuned. */
  readonly settings?: Settings | undefined;
}

/** What all cells of a comparison have in common. */
export interface CellBench {
  readonly architecture: Architecture;
  readonly recipe: Recipe;
  readonly scope: Scope;
  readonly forgetClasses: readonly number[];
  readonly train: Samples;
  readonly forget: Samples;
  readonly retain: Samples;
  readonly validation: Samples;
  readonly trials: number;
  readonly seed: number;
  readonly predictor: Predictor;
  readonly signal: AbortSignal;
}

/** One thread a cell: others run beside it, and the bits do not depend on how many. */
export const CELL_RUNTIME = { threads: 1, spinning: false } as const;

/**
 * Prepares a method, tunes it on validation data where its settings are not known yet, and runs it.
 *
 * @throws what the method throws
 */
export async function runCell(
  bench: CellBench,
  cell: Cell,
  weights: ParameterSet,
): Promise<Omit<FinishedCell, "digest">> {
  const method = findMethod(cell.method);
  const prepared = await prepare(bench, cell, method, weights);
  const request = { ...requestOf(bench, cell, weights), prepared: prepared?.tensors };
  const settings = cell.settings ?? (await tune(bench, method, request));
  const clock = startClock();
  const outcome = await consume(method.run(request, settings));
  return {
    weights: outcome.weights,
    settings,
    seconds: clock(),
    gradientEvaluations: outcome.evidence.gradientEvaluations,
    ...(prepared === undefined ? {} : { preparation: prepared.cost }),
    ...(outcome.stop === undefined ? {} : { stop: outcome.stop.by }),
  };
}

function requestOf(bench: CellBench, { method, seed }: Cell, weights: ParameterSet): MethodRequest & Roles {
  const { architecture, recipe, scope, forgetClasses, forget, retain, validation, signal } = bench;
  return {
    architecture,
    weights,
    scope,
    forgetClasses,
    recipe,
    key: deriveKey(keyFromSeed(bench.seed), "method", method, seed),
    runtime: CELL_RUNTIME,
    methods,
    signal,
    forget,
    retain,
    validation,
  };
}

async function prepare(
  { architecture, recipe, train, seed: keySeed, signal }: CellBench,
  { seed }: Cell,
  method: Method,
  weights: ParameterSet,
): Promise<
  { readonly tensors: ParameterSet; readonly cost: { seconds: number; bytes: number } } | undefined
> {
  if (method.prepare === undefined) return undefined;
  const clock = startClock();
  const key = deriveKey(keyFromSeed(keySeed), "prepare", method.id, seed);
  const { prepared } = await consume(
    method.prepare({ architecture, weights, recipe, key, runtime: CELL_RUNTIME, training: train, signal }),
  );
  const bytes = [...prepared.values()].reduce((sum, values) => sum + values.byteLength, 0);
  return { tensors: prepared, cost: { seconds: clock(), bytes } };
}

/** The settings that score best on validation data. */
async function tune(bench: CellBench, method: Method, request: MethodRequest & Roles): Promise<Settings> {
  const { validation, architecture, predictor, trials } = bench;
  if (validation.count === 0) return {};
  const neverSeen = await accuracyOf(predictor, request.weights, validation, architecture.classes);
  return searchSettings(method, trials, async (settings) => {
    try {
      const { weights } = await consume(method.run(request, settings));
      return await validationScore(bench, predictor, weights, neverSeen);
    } catch (error) {
      // A diverging trial has lost; anything else is no matter of settings.
      if (isLetheError(error, "numeric")) return undefined;
      throw error;
    }
  });
}

/**
 * Processor seconds of this thread since the call. With one thread a model that is all the work there is, and what else the
 * machine does meanwhile is not in it.
 */
function startClock(): () => number {
  const start = process.threadCpuUsage();
  return () => {
    const { user, system } = process.threadCpuUsage(start);
    return (user + system) / 1e6;
  };
}
