import { expect, it } from "vitest";
import { keyFromSeed } from "../kernel/key.ts";
import { createPredictor } from "../training/predictor.ts";
import { aggregateScores } from "../training/sisa/aggregate-scores.ts";
import { initialWeights } from "./architecture.ts";
import { ensembleOf, ensembleWeights } from "./ensemble.ts";
import { createModel } from "./index.ts";

const RUNTIME = { threads: 1, spinning: false };

it("gives scores whose softmax is the mean of its members' probabilities", async () => {
  const member = createModel("mlp:6", { inputShape: [5], classes: 3 });
  const members = [1, 2, 3].map((seed) => initialWeights(member, keyFromSeed(seed)));
  const x = Float32Array.from({ length: 20 }, (_, at) => Math.sin(at) * 3);
  await using alone = await createPredictor(member, RUNTIME);
  const logits: Float32Array[] = [];
  for (const weights of members) logits.push(await alone.logits(weights, x));
  await using together = await createPredictor(ensembleOf(member, 3), RUNTIME);
  const scores = await together.logits(ensembleWeights(members), x);
  const expected = aggregateScores(logits, 3, "mean");
  const got = aggregateScores([scores], 3, "mean");
  expect([...got]).toEqual([...expected].map((p) => expect.closeTo(p, 5)));
});
