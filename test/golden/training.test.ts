import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { gradients } from "../../src/autodiff/gradients.ts";
import { operators } from "../../src/autodiff/operators/index.ts";
import { Graph } from "../../src/onnx/graph.ts";
import type { Value } from "../../src/onnx/ir.ts";
import { compileProgram, type NumericArray } from "../../src/runtime/program.ts";
import { hinge } from "../../src/training/losses/hinge.ts";
import { jensenShannon } from "../../src/training/losses/jensen-shannon.ts";
import { logLikelihood } from "../../src/training/losses/log-likelihood.ts";
import { directPreference, negativePreference } from "../../src/training/losses/preference.ts";
import { smoothedCrossEntropy } from "../../src/training/losses/smoothed-cross-entropy.ts";
import { crossEntropy, klDivergence, meanSquaredError, softCrossEntropy } from "../../src/training/losses.ts";
import { learningRateFactor, scheduleSchema } from "../../src/training/schedules.ts";

/** What generate-training.py writes. */
interface GoldenArray {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
type LossCase = Readonly<Record<string, unknown>> & {
  readonly name: string;
  readonly logits: GoldenArray;
  readonly loss: number;
  readonly gradient: readonly number[];
};
const golden = JSON.parse(readFileSync(new URL("training.json", import.meta.url), "utf8")) as {
  readonly losses: readonly LossCase[];
  readonly schedules: readonly { readonly schedule: unknown; readonly rates: readonly number[] }[];
};

/** A loss from the values of a case: arrays by name. */
type Loss = (x: Value, value: (name: string) => Value, number: (name: string) => number) => Value;
const LOSSES: Readonly<Record<string, Loss>> = {
  "cross-entropy": (x, value) => crossEntropy(x, value("labels")),
  "soft cross-entropy": (x, value) => softCrossEntropy(x, value("other")),
  "smoothed cross-entropy": (x, value, number) =>
    smoothedCrossEntropy(x, value("labels"), number("smoothing")),
  hinge: (x, value, number) => hinge(x, value("labels"), number("margin")),
  "mean squared error": (x, value) => meanSquaredError(x, value("other")),
  "KL divergence": (x, value, number) => klDivergence(value("other"), x, number("temperature")),
  "Jensen-Shannon": (x, value) => jensenShannon(x, value("other")),
  "cross-entropy of positions": (x, value) => crossEntropy(x, value("labels")),
  "negative preference": (x, value, number) =>
    negativePreference(logLikelihood(x, value("labels")), value("reference"), number("beta")),
  "direct preference": (x, value, number) =>
    directPreference(
      { model: logLikelihood(x, value("preferred")), reference: value("preferredReference") },
      { model: logLikelihood(x, value("labels")), reference: value("reference") },
      number("beta"),
    ),
};

describe("losses and their gradients equal PyTorch's", () => {
  it.each(golden.losses.map((entry) => [entry.name, entry] as const))("%s", async (name, entry) => {
    const graph = new Graph(operators);
    const feeds: Record<string, NumericArray> = {};
    const value = (key: string): Value => {
      const { shape, data } = entry[key] as GoldenArray;
      const isLabel = key === "labels" || key === "preferred";
      feeds[key] = isLabel ? BigInt64Array.from(data, BigInt) : Float32Array.from(data);
      return graph.input(key, isLabel ? "int64" : "float32", ["batch", ...shape.slice(1)]);
    };
    const x = value("logits");
    const loss = (LOSSES[name] as Loss)(x, value, (key) => entry[key] as number);
    const [gradient] = gradients(loss, [x]);
    await using program = await compileProgram(
      {
        inputs: graph.inputs,
        outputs: new Map([
          ["loss", loss],
          ["gradient", gradient],
        ]),
      },
      { threads: 1, spinning: false },
    );
    const found = await program.run(feeds);
    expect(Math.abs(Number(found.loss?.[0]) / entry.loss - 1)).toBeLessThan(1e-5);
    const scale = Math.max(...entry.gradient.map(Math.abs));
    entry.gradient.forEach((expected, at) => {
      expect(Math.abs(Number(found.gradient?.[at]) - expected) / scale).toBeLessThan(1e-5);
    });
  });
});

describe("learning rates equal PyTorch's", () => {
  it.each(golden.schedules.map((entry) => [JSON.stringify(entry.schedule), entry] as const))(
    "%s",
    (_name, { schedule, rates }) => {
      const settings = scheduleSchema.parse(schedule);
      const found = rates.map((_, step) => learningRateFactor(settings, step, rates.length));
      expect(found).toEqual(rates.map((rate) => expect.closeTo(rate, 7)));
    },
  );
});
