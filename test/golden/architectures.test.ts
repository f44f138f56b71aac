import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { crc32 } from "../../src/kernel/crc32.ts";
import { sizeOf } from "../../src/kernel/layout.ts";
import type { ParameterSet } from "../../src/kernel/parameters.ts";
import type { Architecture } from "../../src/models/architecture.ts";
import { createModel, type ModelSizes } from "../../src/models/index.ts";
import { compileObjective } from "../../src/training/objective.ts";
import { createPredictor } from "../../src/training/predictor.ts";
import { supervised } from "../../src/training/step-graph.ts";

/** What generate-architectures.py writes of a case. */
interface GoldenCase {
  readonly model: string;
  readonly sizes: ModelSizes;
  readonly batch: number;
  /** The inputs of a text model; others come from the formula. */
  readonly ids?: readonly number[];
  readonly labels: readonly number[];
  readonly scores: readonly number[];
  /** Scores in training mode, where that differs. */
  readonly trainingScores?: readonly number[];
  readonly loss: number;
  /** Each gradient times a direction made by the formula. */
  readonly gradients?: Readonly<Record<string, number>>;
}

const golden = JSON.parse(readFileSync(new URL("architectures.json", import.meta.url), "utf8")) as {
  readonly cases: readonly GoldenCase[];
};
const RUNTIME = { threads: 1, spinning: false };
/** Single precision against double, through up to twenty layers; relative to the largest of what is compared. */
const TOLERANCE = 2e-5;

describe("scores, losses and gradients equal PyTorch's", () => {
  it.each(golden.cases.map((entry) => [entry.model, entry] as const))("%s", async (_name, entry) => {
    const architecture = createModel(entry.model, entry.sizes);
    const weights: ParameterSet = new Map(
      architecture.weights.map(({ name, shape }) => [name, valuesOf(name, shape)]),
    );
    const shape = [entry.batch, ...architecture.inputShape];
    const features = entry.ids === undefined ? valuesOf("input", shape) : Float32Array.from(entry.ids);

    await using predictor = await createPredictor(architecture, RUNTIME);
    expectClose([...(await predictor.logits(weights, features))], entry.scores);
    const { loss, gradients, trainingScores } = await lossOf(architecture, weights, features, entry.labels);
    expectClose([loss], [entry.loss]);
    expectClose(trainingScores, entry.trainingScores ?? entry.scores);
    if (entry.gradients === undefined) return;
    expect([...gradients.keys()].sort()).toEqual(Object.keys(entry.gradients).sort());
    const names = Object.keys(entry.gradients);
    expectClose(
      names.map((name) => {
        const gradient = gradients.get(name) as Float32Array;
        const direction = noise(`direction of ${name}`, gradient.length);
        return gradient.reduce((sum, g, at) => sum + g * (direction[at] as number), 0);
      }),
      Object.values(entry.gradients),
    );
  });
});

async function lossOf(
  architecture: Architecture,
  weights: ParameterSet,
  features: Float32Array,
  labels: readonly number[],
) {
  const loss = supervised("cross-entropy");
  await using compiled = await compileObjective(
    architecture,
    {
      gradients: true,
      objective: (context) => {
        const objective = loss(context);
        const input = context.tensor(
          architecture.inputName,
          ["batch", ...architecture.inputShape],
          architecture.inputType,
        );
        const scores = context.forward(input, { updatesBuffers: false }).logits;
        return { ...objective, outputs: { scores } };
      },
    },
    RUNTIME,
  );
  const result = await compiled.evaluate(weights, {
    [architecture.inputName]: features,
    labels: BigInt64Array.from(labels, BigInt),
  });
  return { ...result, trainingScores: [...(result.outputs.scores as Float32Array)] };
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  found.forEach((value, at) => {
    expect(Math.abs(value - (expected[at] as number)) / scale).toBeLessThan(TOLERANCE);
  });
}

/** The formula of generate-architectures.py: numbers in [−1, 1] decided by a name. */
function noise(name: string, count: number): number[] {
  const offset = crc32(new TextEncoder().encode(name)) % 1_000_003;
  return Array.from({ length: count }, (_, i) => ((i * i * 31 + i * 7919 + offset) % 2003) / 1001 - 1);
}

/** The tensor of a name there. */
function valuesOf(name: string, shape: readonly number[]): Float32Array {
  const kind = name.slice(name.lastIndexOf(".") + 1);
  const [first = 1, ...rest] = shape;
  const std = Math.sqrt(6 / (rest.length === 1 ? first : sizeOf(rest)));
  return Float32Array.from(noise(name, sizeOf(shape)), (u) => {
    if (kind === "scale" || kind === "variance") return 1 + 0.3 * u;
    if (kind === "shift" || kind === "bias" || kind === "mean") return 0.2 * u;
    return std * u;
  });
}
