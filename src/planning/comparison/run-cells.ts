import { availableParallelism } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { type SharedSamples, shareSamples } from "../../audit/farm/shared-samples.ts";
import { type Digest, digestArrays, digestJson } from "../../kernel/digest.ts";
import { isLetheError, LetheError } from "../../kernel/errors.ts";
import type { Progress } from "../../kernel/events.ts";
import { unpackError } from "../../kernel/packed-error.ts";
import type { Method } from "../../methods/contract.ts";
import { runCrew } from "../../runtime/worker-crew.ts";
import type { ComparisonFailure, ComparisonPlan } from "./case.ts";
import { type FinishedCell, openCellStore } from "./cell-store.ts";
import type { CellReply, CellTask, CellWorkerData } from "./cell-worker.ts";
import type { Cell } from "./run-cell.ts";

/** A cell with what came of it. */
export interface RanCell {
  readonly cell: Cell;
  readonly finished: FinishedCell;
}

interface RanCells {
  readonly cells: readonly RanCell[];
  readonly failures: readonly ComparisonFailure[];
}

/** Runs the cells that are not stored, in worker threads: a method's first seed, in which it is tuned, before its others. */
export async function* runCells(
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
  const found = new Map<string, RanCell>();
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
