// The program of a worker thread of a comparison: runs one cell after the other until it is told to stop.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { openModelStore } from "../../audit/farm/model-store.ts";
import { openShared, type SharedSamples } from "../../audit/farm/shared-samples.ts";
import { type ModelSource, openModel } from "../../audit/farm/training-job.ts";
import type { Digest } from "../../kernel/digest.ts";
import { type PackedError, packError } from "../../kernel/packed-error.ts";
import type { CrewMessage } from "../../runtime/worker-crew.ts";
import { createPredictor } from "../../training/predictor.ts";
import { openCellStore } from "./cell-store.ts";
import { CELL_RUNTIME, type Cell, type CellBench, runCell } from "./run-cell.ts";

/** What a worker is started with. */
export interface CellWorkerData
  extends Pick<CellBench, "recipe" | "scope" | "forgetClasses" | "trials" | "seed"> {
  readonly model: ModelSource;
  readonly train: SharedSamples;
  readonly validation: SharedSamples;
  readonly forget: Uint32Array;
  readonly retain: Uint32Array;
  /** Directories of trained models and of finished cells. */
  readonly models: string;
  readonly cells: string;
}

/** A cell to run: where its model lies, and the name its result is stored by. */
export interface CellTask {
  readonly cell: Cell;
  readonly original: Digest;
  readonly digest: Digest;
}

/** What a worker tells when a cell has ended. */
export interface CellReply {
  readonly task: CellTask;
  readonly error?: PackedError;
}

const port = parentPort as MessagePort;
const { model, models, cells, ...shared } = workerData as CellWorkerData;
const controller = new AbortController();
const architecture = openModel(model);
const train = openShared(shared.train);
const predictor = await createPredictor(architecture, CELL_RUNTIME);
const bench: CellBench = {
  ...shared,
  architecture,
  train,
  forget: train.subset(shared.forget),
  retain: train.subset(shared.retain),
  validation: openShared(shared.validation),
  predictor,
  signal: controller.signal,
};

port.on("message", (message: CrewMessage<CellTask>) => {
  if (message.type === "stop") {
    controller.abort();
    port.close();
  } else {
    void work(message.task);
  }
});

async function work(task: CellTask): Promise<void> {
  const { cell, original, digest } = task;
  try {
    const weights = openModelStore(models).require(original);
    openCellStore(cells).write(digest, architecture, await runCell(bench, cell, weights));
    port.postMessage({ task } satisfies CellReply);
  } catch (error) {
    port.postMessage({ task, error: packError(error) } satisfies CellReply);
  }
}
