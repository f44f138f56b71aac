import { describe, expect, it } from "vitest";
import { IGNORED_LABEL } from "../data/dataset.ts";
import { samplesOf } from "../data/samples.ts";
import { consume } from "../kernel/events.ts";
import { keyFromSeed } from "../kernel/key.ts";
import { predictedClasses } from "../metrics/predictions.ts";
import { type Architecture, initialWeights } from "../models/architecture.ts";
import { filled, heNormal } from "../models/initializers.ts";
import { add, gather, matmul } from "../onnx/functions/index.ts";
import { train } from "./loop.ts";
import { parseOptimizer } from "./optimizers.ts";
import { createPredictor } from "./predictor.ts";
import { createTrainer } from "./trainer.ts";

const RUNTIME = { threads: 1, spinning: false };
const KEY = keyFromSeed(3);
const WORDS = 7;
const POSITIONS = 4;

/** The next word from the word before it. */
const bigrams: Architecture = {
  id: "bigrams",
  inputName: "ids",
  outputName: "logits",
  inputType: "int64",
  inputShape: [POSITIONS],
  labelShape: [POSITIONS],
  classes: WORDS,
  weights: [heNormal("table", [WORDS, 5], 2), heNormal("head", [5, WORDS], 2), filled("bias", [WORDS], 0)],
  forward: (ids, weightOf) => ({
    logits: add(matmul(gather(weightOf("table"), ids), weightOf("head")), weightOf("bias")),
    nextBuffers: new Map(),
  }),
};

/** Sentences that count on by two; what comes after the last word is left out. */
const SENTENCES = samplesOf({
  idPrefix: "counting",
  featureShape: [POSITIONS],
  features: {
    values: Float32Array.from(
      { length: 20 * POSITIONS },
      (_, at) => (Math.floor(at / POSITIONS) + 2 * (at % POSITIONS)) % WORDS,
    ),
  },
  labels: new Int32Array(20),
  classCount: 1,
  targets: {
    shape: [POSITIONS],
    values: Int32Array.from({ length: 20 * POSITIONS }, (_, at) => {
      const position = at % POSITIONS;
      return position === POSITIONS - 1
        ? IGNORED_LABEL
        : (Math.floor(at / POSITIONS) + 2 * position + 2) % WORDS;
    }),
  },
});

describe("a model that reads token ids and answers at every position", () => {
  it("has the mean loss of the positions that count", async () => {
    await using trainer = await createTrainer(bigrams, parseOptimizer("sgd"), RUNTIME);
    const weights = initialWeights(bigrams, KEY);
    const ids = Float32Array.of(1, 6, 0, 2);
    const labels = BigInt64Array.of(3n, -100n, 5n, -100n);
    const { loss } = await trainer.step(trainer.start(weights), ids, labels, 0.1);
    await using predictor = await createPredictor(bigrams, RUNTIME);
    const logits = await predictor.logits(weights, ids);
    const costOf = (position: number, label: number): number => {
      const row = [...logits.subarray(position * WORDS, (position + 1) * WORDS)];
      return Math.log(row.reduce((sum, score) => sum + Math.exp(score), 0)) - (row[label] as number);
    };
    expect(loss).toBeCloseTo((costOf(0, 3) + costOf(2, 5)) / 2, 5);
  });

  it("learns a language, from views of the samples too", async () => {
    await using trainer = await createTrainer(bigrams, parseOptimizer("adam"), RUNTIME);
    const samples = SENTENCES.subset(Array.from({ length: 14 }, (_, at) => 19 - at));
    const options = { samples, epochs: 60, batchSize: 5, learningRate: 0.05, key: KEY };
    const { weights } = await consume(train(trainer, initialWeights(bigrams, KEY), options));
    await using predictor = await createPredictor(bigrams, RUNTIME);
    const logits = await predictor.logitsOf(weights, SENTENCES);
    expect(logits).toHaveLength(20 * POSITIONS * WORDS);
    const words = new Float32Array(20 * POSITIONS);
    SENTENCES.gather(
      Array.from({ length: 20 }, (_, at) => at),
      words,
    );
    expect([...predictedClasses(logits, WORDS)]).toEqual(Array.from(words, (word) => (word + 2) % WORDS));
  });

  it("refuses features that are no ids, and labels of samples where it needs one a position", async () => {
    await using trainer = await createTrainer(bigrams, parseOptimizer("sgd"), RUNTIME);
    const start = trainer.start(initialWeights(bigrams, KEY));
    await expect(
      trainer.step(start, Float32Array.of(0.5, 1, 2, 3), new BigInt64Array(POSITIONS), 0.1),
    ).rejects.toMatchObject({ code: "LETHE_USAGE_FEED", message: expect.stringContaining("whole numbers") });
    await expect(
      trainer.step(start, new Float32Array(POSITIONS), new BigInt64Array(1), 0.1),
    ).rejects.toMatchObject({ code: "LETHE_USAGE_FEED" });
  });
});
