import { availableParallelism } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { trainModels } from "../../audit/farm/model-farm.ts";
import { type SharedSamples, shareSamples } from "../../audit/farm/shared-samples.ts";
import { type FarmHeader, jobDigest, openModel, type TrainingJob } from "../../audit/farm/training-job.ts";
import { type Digest, digestArrays, digestJson } from "../../kernel/digest.ts";
import { isLetheError, LetheError } from "../../kernel/errors.ts";
import { nested, type Progress } from "../../kernel/events.ts";
import { unpackError } from "../../kernel/packed-error.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Method } from "../../methods/contract.ts";
import { findMethod, methods } from "../../methods/index.ts";
import { klomNormal } from "../../metrics/klom-normal.ts";
import { margins } from "../../metrics/margins.ts";
import { runCrew } from "../../runtime/worker-crew.ts";
import { createPredictor } from "../../training/predictor.ts";
import type {
  Comparison,
  ComparisonFailure,
  ComparisonPlan,
  ComparisonResult,
  ComparisonRow,
  Figures,
} from "./case.ts";
import { type FinishedCell, openCellStore } from "./cell-store.ts";
import type { CellReply, CellTask, CellWorkerData } from "./cell-worker.ts";
import { type CaseScores, compareWith, figuresOf, type JudgedSamples, scoresOn } from "./figures.ts";
import { CELL_RUNTIME, type Cell } from "./run-cell.ts";

/** What every other cost is a share of; run in every comparison, as a third retrained model. */
const YARDSTICK = "retrain";

/** The methods that can serve a request, `retrain` first. */
export function methodsFor(plan: Pick<ComparisonPlan, "scope" | "methods">): readonly Method[] {
  const chosen = (plan.methods?.map(findMethod) ?? Object.values(methods)).filter(
    ({ id }) => id !== YARDSTICK,
  );
  return [findMethod(YARDSTICK), ...chosen].filter(({ scope }) => scope.includes(plan.scope));
}

/**
 * Runs every method that can serve a request on freshly trained models and compares each result with retraining.
 *
 * Per seed a model is trained, and one retrained without the forget samples; `references` more are retrained. Each method is tuned in the
 * first seed on validation data, with the same number of trials, and keeps its settings. Preparations are counted apart. A
 * method that throws is reported and the others go on. Models and finished cells are stored: an interrupted comparison goes on
 * with what is missing.
 *
 * Every model and every cell has one thread, and as many run at the same time as the farm has workers.
 *
 * @throws LETHE_CANCELLED, LETHE_INTERNAL_WORKER, and what training throws
 */
export async function* compareMethods(plan: ComparisonPlan): Progress<ComparisonResult> {
  const chosen = methodsFor(plan);
  const architecture = openModel(plan.model);
  const train = shareSamples(plan.parts.train);
  const header: FarmHeader = { data: train, model: plan.model, recipe: plan.recipe };
  const everything = Uint32Array.from({ length: plan.parts.train.count }, (_, position) => position);
  const seeds = Array.from({ length: plan.seeds }, (_, seed) => seed);
  const originalJobs = seeds.map(
    (seed): TrainingJob => ({ subset: everything, seed: `original ${seed} of ${plan.seed}` }),
  );
  const oracleJobs = Array.from(
    { length: plan.seeds + plan.references },
    // As an audit of the same request names them: what it trained is here already.
    (_, index): TrainingJob => ({ subset: plan.retain, seed: `reference ${index} of ${plan.seed}` }),
  );
  yield { type: "phase", name: "Training and retraining", index: 0, of: 3 };
  const trained = yield* nested(trainModels(header, [...originalJobs, ...oracleJobs], plan.farm));
  const [originals, oracles] = [trained.slice(0, plan.seeds), trained.slice(plan.seeds)];

  yield { type: "phase", name: "Running methods", index: 1, of: 3 };
  const originalDigests = originalJobs.map((job) => jobDigest(header, job));
  const { cells, failures } = yield* nested(runCells(plan, chosen, originalDigests, train));

  yield { type: "phase", name: "Measuring", index: 2, of: 3 };
  await using predictor = await createPredictor(architecture, CELL_RUNTIME);
  const judged: JudgedSamples = {
    classes: architecture.classes,
    forgetClasses: plan.forgetClasses,
    forget: plan.parts.train.subset(plan.forget),
    retain: plan.parts.train.subset(plan.retain),
    test: plan.parts.test,
  };
  const onForget = { labels: judged.forget.labels, classes: judged.classes };
  const retrained: Retrained[] = [];
  for (const weights of oracles.slice(0, plan.seeds)) {
    const scores = await scoresOn(judged, predictor, weights);
    retrained.push({ scores, figures: figuresOf(judged, scores) });
  }
  const tables = new Map<string, Float64Array[]>();
  const judge = async (name: string, seed: number, weights: ParameterSet): Promise<Comparison> => {
    const scores = await scoresOn(judged, predictor, weights);
    tables.set(name, [...(tables.get(name) ?? []), margins({ ...onForget, logits: scores.forget })]);
    return compareWith(judged, scores, retrained[seed] as Retrained);
  };
  const oracleMargins: Float64Array[] = [];
  for (const weights of oracles) {
    oracleMargins.push(margins({ ...onForget, logits: await predictor.logitsOf(weights, judged.forget) }));
  }
  const references: ComparisonResult["references"][number][] = [];
  for (const [seed, own] of retrained.entries()) {
    references.push({
      seed,
      original: await judge("trained", seed, originals[seed] as ParameterSet),
      retrained: compareWith(judged, own.scores, own),
    });
  }
  const rows: ComparisonRow[] = [];
  for (const { cell, finished } of cells) {
    const figures = await judge(cell.method, cell.seed, finished.weights);
    const yardstick = cells.find((other) => other.cell.method === YARDSTICK && other.cell.seed === cell.seed);
    rows.push(rowOf(cell, finished, figures, yardstick?.finished));
  }
  const klom = Object.fromEntries(
    [...tables].map(([name, table]) => [name, klomNormal(table, oracleMargins)]),
  );
  return { rows, failures, references, klom };
}

/** A retrained model's scores and figures: what others are held against. */
interface Retrained {
  readonly scores: CaseScores;
  readonly figures: Figures;
}

function rowOf(
  { method, seed }: Cell,
  { weights: _, preparation, stop, ...facts }: FinishedCell,
  figures: Comparison,
  { seconds, gradientEvaluations }: Pick<FinishedCell, "seconds" | "gradientEvaluations"> = NOTHING,
): ComparisonRow {
  return {
    method,
    seed,
    ...facts,
    figures,
    timeShare: facts.seconds / seconds,
    gradientShare: facts.gradientEvaluations / gradientEvaluations,
    ...(preparation && { preparation: { ...preparation, timeShare: preparation.seconds / seconds } }),
    ...(stop === undefined ? {} : { stop }),
  };
}

/** Where retraining itself failed nothing is a share of it. */
const NOTHING = { seconds: Number.NaN, gradientEvaluations: Number.NaN } as const;

interface RanCells {
  readonly cells: readonly { readonly cell: Cell; readonly finished: FinishedCell }[];
  readonly failures: readonly ComparisonFailure[];
}

/** Runs the cells that are not stored, in worker threads: a method's first seed, in which it is tuned, before its others. */
async function* runCells(
  plan: ComparisonPlan,
  chosen: readonly Method[],
  originals: readonly Digest[],
  train: SharedSamples,
): Progress<RanCells> {
  const { recipe, scope, forgetClasses, trials, seed, forget, retain, model, farm } = plan;
  const validation = shareSamples(plan.parts.validation);
  const cellsDirectory = join(farm.store, "cells");
  const store = openCellStore(cellsDirectory);
  const common = commonDigest(plan, validation);
  const taskOf = (cell: Cell): CellTask => {
    const original = originals[cell.seed] as Digest;
    const { method, settings } = cell;
    const facts = {
      common,
      original,
      method,
      seed: cell.seed,
      ...(settings === undefined ? { trials } : { settings }),
    };
    return { cell, original, digest: digestJson(z.json().parse(JSON.parse(JSON.stringify(facts)))) };
  };
  const found = new Map<string, RanCells["cells"][number]>();
  const failures: ComparisonFailure[] = [];
  const queue: CellTask[] = [];
  const place = ({ method, seed: at }: Cell): string => `${method} ${at}`;
  /** Takes a cell from the store or queues it; with a method's first seed come its others. */
  const settle = (task: CellTask): void => {
    const finished = store.read(task.digest);
    if (finished === undefined) {
      queue.push(task);
      return;
    }
    found.set(place(task.cell), { cell: task.cell, finished });
    if (task.cell.seed > 0) return;
    for (let next = 1; next < plan.seeds; next++) {
      settle(taskOf({ method: task.cell.method, seed: next, settings: finished.settings }));
    }
  };
  for (const { id } of chosen) settle(taskOf({ method: id, seed: 0 }));
  const total = chosen.length * plan.seeds;
  if (queue.length > 0) {
    const data: CellWorkerData = {
      ...{ recipe, scope, forgetClasses, trials, seed, forget, retain, model, train, validation },
      models: farm.store,
      cells: cellsDirectory,
    };
    const crew = runCrew<CellTask, CellReply>({
      program: { beside: import.meta.url, name: "cell-worker", data },
      size: farm.workers ?? availableParallelism(),
      next: () => queue.shift(),
      ends: () => true,
      signal: farm.signal,
    });
    for await (const { task, error } of crew) {
      const { cell } = task;
      if (error === undefined) {
        if (store.read(task.digest) === undefined) throw notStored(farm.store);
        settle(task);
      } else {
        const failure = unpackError(error);
        if (!isLetheError(failure) || failure.kind === "cancelled" || failure.kind === "internal")
          throw failure;
        const { code, message } = failure;
        failures.push({ method: cell.method, seed: cell.seed, code, message });
        yield { type: "notice", code, message: `${cell.method}: ${message}`, details: { seed: cell.seed } };
      }
      yield {
        type: "step",
        step: found.size + failures.length,
        of: total,
        scalars: { method: cell.method, seed: cell.seed + 1 },
      };
    }
  }
  const inOrder = chosen.flatMap(({ id }) =>
    Array.from({ length: plan.seeds }, (_, at) => found.get(place({ method: id, seed: at }))),
  );
  return { cells: inOrder.filter((cell) => cell !== undefined), failures };
}

function notStored(directory: string): LetheError {
  return new LetheError(
    "transient",
    "TRANSIENT_STORE",
    `Expected the result just written in ${directory}, found none. Was the directory emptied meanwhile? Run again.`,
  );
}

/** Of everything that decides all cells alike: the request, what they are tuned on, and what computes. */
function commonDigest(
  { scope, forgetClasses, forget, retain, seed, versions }: ComparisonPlan,
  validation: SharedSamples,
): Digest {
  const positions = digestArrays(
    new Map([
      ["forget", forget],
      ["retain", retain],
    ]),
  );
  return digestJson({ scope, forgetClasses, positions, seed, versions, validation: validation.digest });
}
