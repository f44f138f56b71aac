import { expect, it } from "vitest";
import { blobs } from "../../../test/support/blobs.ts";
import { keyFromSeed } from "../../kernel/key.ts";
import { initialWeights } from "../../models/architecture.ts";
import { cnn } from "../../models/cnn.ts";
import { createPredictor } from "../../training/predictor.ts";
import { SHADOW, withShadowClass } from "./shadow-class.ts";

it("adds a score from the features behind the head, and leaves the others as they are", async () => {
  const plain = cnn([1, 6, 6], 3, { id: "tiny", blocks: [{ channels: 2, kernel: 3 }], hidden: 4 });
  const wider = withShadowClass(plain);
  const weights = new Map(initialWeights(wider, keyFromSeed(2))).set(SHADOW.bias, Float32Array.of(0.5));
  const samples = blobs({ count: 5, featureShape: [1, 6, 6], classes: 3, seed: 3 });
  await using before = await createPredictor(plain);
  await using after = await createPredictor(wider);
  const old = await before.logitsOf(weights, samples);
  const now = await after.logitsOf(weights, samples);
  expect(now.length).toBe(5 * 4);
  for (let row = 0; row < 5; row++) {
    expect(now.slice(4 * row, 4 * row + 3)).toEqual(old.slice(3 * row, 3 * row + 3));
  }
  // Without its weight the score is the bias.
  const idle = new Map(weights).set(SHADOW.weight, new Float32Array(4));
  expect((await after.logitsOf(idle, samples)).filter((_, at) => at % 4 === 3)).toEqual(
    new Float32Array(5).fill(0.5),
  );
});
