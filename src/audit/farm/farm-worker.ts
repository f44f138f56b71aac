// The program of a worker thread of the model farm: trains one job after the other until it is told to stop.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import type { LetheEvent } from "../../kernel/events.ts";
import { packError } from "../../kernel/packed-error.ts";
import type { CrewMessage } from "../../runtime/worker-crew.ts";
import { openShared } from "./shared-samples.ts";
import { type FarmBench, trainJob } from "./train-job.ts";
import type { TrainerReply, TrainerTask, TrainerThreadData } from "./trainer-thread.ts";
import { openModel } from "./training-job.ts";

const port = parentPort as MessagePort;
const { header, store } = workerData as TrainerThreadData;
const bench: FarmBench = {
  header,
  store,
  samples: openShared(header.data),
  validation: header.validation && openShared(header.validation),
  architecture: openModel(header.model),
};
const controller = new AbortController();
/** Steps of small models take less than the telling of them, which would keep another core busy. */
const TELL_EVERY_MS = 100;

port.on("message", (message: CrewMessage<TrainerTask>) => {
  if (message.type === "stop") {
    controller.abort();
    port.close();
  } else {
    void work(message.task);
  }
});

async function work({ job, index }: TrainerTask): Promise<void> {
  const reply = (message: TrainerReply): void => port.postMessage(message);
  let toldAt = Number.NEGATIVE_INFINITY;
  const onEvent = (event: LetheEvent): void => {
    if (event.type !== "step" || performance.now() - toldAt < TELL_EVERY_MS) return;
    toldAt = performance.now();
    reply({ type: "step", index, step: event.step });
  };
  try {
    await trainJob(bench, job, onEvent, controller.signal);
    reply({ type: "done", index });
  } catch (error) {
    reply({ type: "failed", index, error: packError(error) });
  }
}
