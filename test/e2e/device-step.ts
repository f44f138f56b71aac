// One training step on the device named on the command line, in a process of its own: drivers are found when a process starts.
import { consume } from "../../src/kernel/events.ts";
import { keyFromSeed } from "../../src/kernel/key.ts";
import { initialWeights } from "../../src/models/architecture.ts";
import { createModel } from "../../src/models/index.ts";
import type { Device } from "../../src/runtime/runtime-options.ts";
import { train } from "../../src/training/loop.ts";
import { createTrainer } from "../../src/training/trainer.ts";
import { blobs } from "../support/blobs.ts";

const device = process.argv[2] as Device;
const key = keyFromSeed(5);
const model = createModel("mlp:4", { inputShape: [6], classes: 3 });
const samples = blobs({ count: 20, featureShape: [6], classes: 3, seed: 3 });
await using trainer = await createTrainer(
  model,
  { id: "sgd", momentum: 0, weightDecay: 0 },
  { device, threads: 1 },
);
const options = { samples, key, epochs: 1, batchSize: 10, learningRate: 0.1 };
const { weights } = await consume(train(trainer, initialWeights(model, key), options));
process.stdout.write(JSON.stringify([...weights.values()].flatMap((values) => [...values])));
