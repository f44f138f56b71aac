// What the page of browser-training.test.ts runs, bundled for it: a local epoch of a federated client.
import {
  consume,
  createModel,
  createTrainer,
  initialWeights,
  keyFromSeed,
  openTrainer,
  type ParameterSet,
  parseOptimizer,
  type RuntimeOptions,
  train,
} from "../../src/browser.ts";
import { blobs } from "../support/blobs.ts";

/** A model, its optimizer and how long it is trained. */
export interface LocalTask {
  readonly model: string;
  readonly optimizer: Parameters<typeof parseOptimizer>[0];
  readonly learningRate: number;
  readonly steps: number;
}

/** Weights in a form that passes between a page and its test without loss. */
export type PlainWeights = readonly (readonly [name: string, values: readonly number[]])[];

export const INPUT = { inputShape: [1, 12, 12], classes: 4 } as const;
const BATCH = 20;
const key = keyFromSeed(5);
const samples = blobs({ count: 200, featureShape: INPUT.inputShape, classes: INPUT.classes, seed: 3 });

/** Trains from the file of a step graph, or from the architecture where there is no file. */
export async function localEpoch(
  task: LocalTask,
  file: Uint8Array | undefined,
  runtime: RuntimeOptions,
): Promise<PlainWeights> {
  const architecture = createModel(task.model, INPUT);
  await using trainer = await (file === undefined
    ? createTrainer(architecture, parseOptimizer(task.optimizer), runtime)
    : openTrainer(file, runtime));
  const options = { samples, key, epochs: 1, batchSize: BATCH, learningRate: task.learningRate };
  const start: ParameterSet = initialWeights(architecture, key);
  const { weights } = await consume(train(trainer, start, { ...options, maxSteps: task.steps }));
  return [...weights].map(([name, values]) => [name, [...values]]);
}

const inPage = async (
  task: LocalTask,
  address: string | undefined,
  runtime: RuntimeOptions,
): Promise<PlainWeights> => {
  const file = address && new Uint8Array(await (await fetch(address)).arrayBuffer());
  return localEpoch(task, file || undefined, runtime);
};
Object.assign(globalThis, { localEpoch: inPage });
