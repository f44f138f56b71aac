// The program of the worker thread of `createPrefetcher`: loads a dataset and gathers batches of it.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { packError } from "../kernel/packed-error.ts";
import type { Samples } from "./dataset.ts";
import { loadDataset } from "./index.ts";
import { normalised } from "./normaliser.ts";
import type { PrefetchReply, PrefetchSource, PrefetchTask } from "./prefetch.ts";

const port = parentPort as MessagePort;
const loading = load(workerData as PrefetchSource);
// A failure is told to every task.
loading.catch(() => undefined);

port.on("message", async (task: PrefetchTask) => {
  const reply = await work(task);
  port.postMessage(
    reply,
    reply.error ? [] : [reply.features.buffer as ArrayBuffer, reply.labels.buffer as ArrayBuffer],
  );
});

async function load({ data, part, subset, options, normaliser }: PrefetchSource): Promise<Samples> {
  const whole = (await loadDataset(data, options))[part];
  const samples = subset ? whole.subset(subset) : whole;
  return normaliser ? normalised(samples, normaliser) : samples;
}

async function work({ id, positions }: PrefetchTask): Promise<PrefetchReply> {
  try {
    const samples = await loading;
    const features = new Float32Array(positions.length * samples.featureLength);
    samples.gather(positions, features);
    const labels = BigInt64Array.from(positions, (position) => BigInt(samples.labels[position] as number));
    return { id, features, labels };
  } catch (error) {
    return { id, error: packError(error) };
  }
}
