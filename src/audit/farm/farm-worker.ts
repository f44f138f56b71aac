// The program of a worker thread of the model farm: trains one job after the other until it is told to stop.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { packError } from "../../kernel/packed-error.ts";
import type { FarmReply, FarmRequest, FarmWorkerData } from "./model-farm.ts";
import { openShared } from "./shared-samples.ts";
import { type FarmBench, trainJob } from "./train-job.ts";
import { openModel } from "./training-job.ts";

const port = parentPort as MessagePort;
const { header, store } = workerData as FarmWorkerData;
const bench: FarmBench = {
  header,
  store,
  samples: openShared(header.data),
  architecture: openModel(header.model),
};
const controller = new AbortController();

port.on("message", (request: FarmRequest) => {
  if (request.type === "stop") {
    controller.abort();
    port.close();
  } else {
    void work(request);
  }
});

async function work({ index, job }: Extract<FarmRequest, { readonly type: "train" }>): Promise<void> {
  const reply = (message: FarmReply): void => port.postMessage(message);
  try {
    await trainJob(
      bench,
      job,
      (event) => event.type === "step" && reply({ type: "step", index, step: event.step }),
      controller.signal,
    );
    reply({ type: "done", index });
  } catch (error) {
    reply({ type: "failed", index, error: packError(error) });
  }
}
