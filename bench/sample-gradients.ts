// Gradients of single samples, their norms and their products with a direction: a batch in one run beside one run a sample, and
// beside the batch's own gradient.
//
//   node bench/sample-gradients.ts [threads] [batch]

import { samplesOf } from "../src/data/samples.ts";
import { keyFromSeed, randomStream } from "../src/kernel/key.ts";
import { initialWeights } from "../src/models/architecture.ts";
import { createModel } from "../src/models/index.ts";
import { compileObjective } from "../src/training/objective.ts";
import { compileSampleGradients, compileSampleNorms } from "../src/training/per-sample/sample-gradients.ts";
import { compileSampleSlopes } from "../src/training/per-sample/sample-slopes.ts";
import { supervised } from "../src/training/step-graph.ts";

const [threads = 1, count = 64] = process.argv.slice(2).map(Number);
/** Rounds in which all ways take turns; the minimum is reported. */
const ROUNDS = 7;
const IMAGE = { inputShape: [1, 28, 28], classes: 10 };
const runtime = { threads, spinning: false };

for (const name of ["mlp", "cnn", "cnn-bn", "cnn-medium"]) {
  const model = createModel(name, IMAGE);
  const weights = initialWeights(model, keyFromSeed(1));
  const stream = randomStream(keyFromSeed(2));
  const values = Float32Array.from({ length: count * 784 }, () => stream.uniform());
  const labels = Int32Array.from({ length: count }, () => stream.below(IMAGE.classes));
  const samples = samplesOf({
    idPrefix: "noise",
    featureShape: IMAGE.inputShape,
    features: { values },
    labels,
    classCount: IMAGE.classes,
  });
  const batch = { features: values, labels: BigInt64Array.from(labels, BigInt) };
  const single = { ...runtime, isBatched: false };
  await using whole = await compileObjective(
    model,
    { objective: supervised("cross-entropy"), gradients: true },
    runtime,
  );
  await using batched = await compileSampleGradients(model, runtime);
  await using oneByOne = await compileSampleGradients(model, single);
  await using batchedNorms = await compileSampleNorms(model, runtime);
  await using oneByOneNorms = await compileSampleNorms(model, single);
  await using slopes = await compileSampleSlopes(model, runtime);
  const ways: Readonly<Record<string, () => Promise<unknown>>> = {
    "batch gradient": () =>
      whole.evaluate(weights, { [model.inputName]: batch.features, labels: batch.labels }),
    gradients: () => batched.gradients(weights, batch),
    "gradients, one by one": () => oneByOne.gradients(weights, batch),
    norms: () => batchedNorms.squaredNorms(weights, samples),
    "norms, one by one": () => oneByOneNorms.squaredNorms(weights, samples),
    slopes: () => slopes.slopes(weights, samples, weights),
  };
  const best = new Map(Object.keys(ways).map((way) => [way, Number.POSITIVE_INFINITY]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [way, run] of Object.entries(ways)) {
      const start = performance.now();
      await run();
      best.set(way, Math.min(best.get(way) ?? 0, performance.now() - start));
    }
  }
  const cells = [...best].map(([way, ms]) => `${way} ${ms.toFixed(2)} ms`);
  console.log(
    `${name} (${count} samples, ${threads} thread${threads === 1 ? "" : "s"}): ${cells.join(" · ")}`,
  );
}
