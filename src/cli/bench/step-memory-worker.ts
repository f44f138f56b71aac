// A process of its own that takes training steps and prints how much memory it had before and at most, for `lethe bench step`:
// node step-memory-worker.ts MODEL BATCH_SIZE THREADS STEPS
import { keyFromSeed } from "../../kernel/key.ts";
import { initialWeights } from "../../models/architecture.ts";
import { createTrainer } from "../../training/trainer.ts";
import { benchModel, sampleBatch } from "./step-sample.ts";

const [model = "", ...counts] = process.argv.slice(2);
const [batchSize = 1, threads = 1, steps = 1] = counts.map(Number);
const baseBytes = process.memoryUsage.rss();
const architecture = benchModel(model);
const { features, labels } = sampleBatch(architecture, batchSize);
await using trainer = await createTrainer(
  architecture,
  { id: "sgd", momentum: 0, weightDecay: 0 },
  { threads, spinning: false },
);
let state = trainer.start(initialWeights(architecture, keyFromSeed(1)));
for (let step = 0; step < steps; step++) {
  ({ state } = await trainer.step(state, features, labels, 0.01));
}
// The operating system counts in KiB.
const peakBytes = 1024 * process.resourceUsage().maxRSS;
process.stdout.write(JSON.stringify({ baseBytes, peakBytes }));
