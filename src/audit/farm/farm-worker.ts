// The program of a worker thread of the model farm: trains one job after the other until it is told to stop.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { packError } from "../../kernel/packed-error.ts";
import { openShared } from "./shared-samples.ts";
import { type FarmBench, trainJob } from "./train-job.ts";
import type { TrainerReply, TrainerRequest, TrainerThreadData } from "./trainer-thread.ts";
import { openModel, type TrainingJob } from "./training-job.ts";

const port = parentPort as MessagePort;
const { header, store } = workerData as TrainerThreadData;
const bench: FarmBench = {
  header,
  store,
  samples: openShared(header.data),
  architecture: openModel(header.model),
};
const controller = new AbortController();

port.on("message", (request: TrainerRequest) => {
  if (request.type === "stop") {
    controller.abort();
    port.close();
  } else {
    void work(request.job);
  }
});

async function work(job: TrainingJob): Promise<void> {
  const reply = (message: TrainerReply): void => port.postMessage(message);
  try {
    await trainJob(
      bench,
      job,
      (event) => event.type === "step" && reply({ type: "step", step: event.step }),
      controller.signal,
    );
    reply({ type: "done" });
  } catch (error) {
    reply({ type: "failed", error: packError(error) });
  }
}
