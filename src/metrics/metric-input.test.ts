import { describe, expect, it } from "vitest";
import { isLetheError } from "../kernel/errors.ts";
import { accuracy } from "./accuracy.ts";
import { parameterDistance } from "./distance.ts";
import { klom } from "./klom.ts";
import { margins } from "./margins.ts";
import { lossMembership } from "./membership.ts";
import type { ScoredSamples } from "./scored-samples.ts";
import { averageGap, unlearningAccuracy } from "./set-accuracies.ts";
import { rocCurve } from "./statistics/roc.ts";
import { tugOfWar } from "./tug-of-war.ts";

const scores = (logits: readonly number[], labels: readonly number[], classes = 2): ScoredSamples => ({
  logits: Float32Array.from(logits),
  labels: Int32Array.from(labels),
  classes,
});

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (isLetheError(error)) return error.code;
    throw error;
  }
  return "none";
}

describe("bad input to a metric is named, never judged:", () => {
  it.each([
    ["NaN logits", "LETHE_NUMERIC_NOT_FINITE", () => margins(scores([1, Number.NaN], [0]))],
    ["infinite logits", "LETHE_NUMERIC_NOT_FINITE", () => unlearningAccuracy(scores([1, Infinity], [0]))],
    ["more labels than scores", "LETHE_DATA_SHAPE", () => margins(scores([1, 2], [0, 1]))],
    ["a label that is no class", "LETHE_DATA_LABEL", () => margins(scores([1, 2], [2]))],
    ["one class only", "LETHE_DATA_SHAPE", () => margins(scores([1], [0], 1))],
    ["no samples", "LETHE_DATA_TOO_FEW", () => unlearningAccuracy(scores([], []))],
    ["lists of two lengths", "LETHE_DATA_SHAPE", () => accuracy(Int32Array.of(1), Int32Array.of(1, 2))],
    [
      "losses without labels",
      "LETHE_DATA_SHAPE",
      () => lossMembership(Float64Array.of(1), new Int32Array(0), Float64Array.of(1), Int32Array.of(0)),
    ],
    ["a ROC curve of members only", "LETHE_DATA_ONE_CLASS", () => rocCurve([1, 2], [true, true])],
    ["NaN scores", "LETHE_NUMERIC_NOT_FINITE", () => rocCurve([1, Number.NaN], [true, false])],
    ["percentages for shares", "LETHE_DATA_RANGE", () => averageGap([98], [0.97])],
    [
      "NaN for an accuracy",
      "LETHE_DATA_RANGE",
      () => tugOfWar({ forget: Number.NaN, retain: 1, test: 1 }, { forget: 1, retain: 1, test: 1 }),
    ],
    ["one model a side", "LETHE_DATA_TOO_FEW", () => klom([Float64Array.of(1)], [Float64Array.of(1)])],
    [
      "an unknown setting",
      "LETHE_USAGE_CONFIG",
      () =>
        klom([Float64Array.of(1), Float64Array.of(1)], [Float64Array.of(1), Float64Array.of(1)], {
          binz: 3,
        } as never),
    ],
    [
      "diverged weights",
      "LETHE_NUMERIC_NOT_FINITE",
      () => parameterDistance(Float32Array.of(Number.NaN), Float32Array.of(1), Float32Array.of(0)),
    ],
  ])("%s", (_, code, action) => {
    expect(codeOf(action)).toBe(code);
  });

  it("the message says how many values are bad and where, not what the others are", () => {
    expect(() => margins(scores([0.123, Number.NaN, Number.NaN, 4], [0, 1]))).toThrow(
      /2 of 4 .* first at position 1/,
    );
    expect(() => margins(scores([0.123, Number.NaN], [0]))).not.toThrow(/0\.123/);
  });
});
