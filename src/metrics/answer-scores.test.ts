import { expect, it } from "vitest";
import { IGNORED_LABEL } from "../data/dataset.ts";
import { samplesOf } from "../data/samples.ts";
import { scoreAnswers } from "./answer-scores.ts";

const CLASSES = 4;
/** Class scores at every position: the logarithm of probabilities. */
const SURE = [0.7, 0.1, 0.1, 0.1].map(Math.log);

const textOf = (targets: readonly number[], positions: number) =>
  samplesOf({
    idPrefix: "text",
    featureShape: [positions],
    features: { values: new Float32Array(targets.length) },
    labels: new Int32Array(targets.length / positions),
    classCount: 1,
    targets: { shape: [positions], values: Int32Array.from(targets) },
  });

it("counts the answers at positions that count, and their perplexity is that of the mean loss", async () => {
  const samples = textOf([0, 1, IGNORED_LABEL, 0, 3, IGNORED_LABEL], 3);
  const logitsOf = async ({ count }: { readonly count: number }) =>
    Float32Array.from({ length: count * 3 * CLASSES }, (_, at) => SURE[at % CLASSES] as number);
  const scores = await scoreAnswers(logitsOf, samples, CLASSES);
  expect(scores).toMatchObject({ count: 4, accuracy: 0.5 });
  expect(scores.perplexity).toBeCloseTo((0.7 * 0.7 * 0.1 * 0.1) ** (-1 / 4), 5);
});

it("takes texts of a large vocabulary piece by piece, with the same result", async () => {
  const classes = 5;
  const samples = textOf(
    Array.from({ length: 40 }, (_, at) => (at === 7 ? IGNORED_LABEL : at % 4)),
    2,
  );
  const pieces: number[] = [];
  const scores = await scoreAnswers(
    async ({ count }) => {
      pieces.push(count);
      const logits = new Float32Array(count * 2 * classes);
      for (let at = 1; at < logits.length; at += classes) logits[at] = 1;
      return logits;
    },
    samples,
    classes,
    8 * 2 * classes,
  );
  expect(pieces).toEqual([8, 8, 4]);
  expect(scores.count).toBe(39);
  expect(scores.accuracy).toBeCloseTo(10 / 39);
});

it("takes whole samples at once and has no figure for none", async () => {
  const samples = samplesOf({
    idPrefix: "points",
    featureShape: [1],
    features: { values: new Float32Array(3) },
    labels: Int32Array.of(0, 1, 0),
    classCount: 2,
  });
  const logitsOf = async ({ count }: { readonly count: number }) => new Float32Array(count * 2);
  expect(await scoreAnswers(logitsOf, samples, 2)).toEqual({
    count: 3,
    accuracy: 2 / 3,
    perplexity: expect.closeTo(2, 6),
  });
  expect(await scoreAnswers(logitsOf, samples.subset([]), 2)).toMatchObject({ count: 0, accuracy: NaN });
});
