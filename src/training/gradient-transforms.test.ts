import { describe, expect, it } from "vitest";
import { blobs } from "../../test/support/blobs.ts";
import { keyFromSeed } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { type Architecture, initialWeights } from "../models/architecture.ts";
import { createModel } from "../models/index.ts";
import { gemm, reshape } from "../onnx/functions/index.ts";
import { inputSubspace } from "./features/input-subspace.ts";
import { compileLayerMoments, matrixLayers } from "./features/layer-moments.ts";
import { clippedToNorm, inOrder, masked, projectedAway, projectedOnto } from "./gradient-transforms.ts";
import { crossEntropy } from "./losses.ts";
import { compileObjective } from "./objective.ts";
import type { ParameterTransform } from "./objective-graph.ts";
import { createPredictor } from "./predictor.ts";

const RUNTIME = { threads: 1, spinning: false };
const CLASSES = 3;
const KEY = keyFromSeed(4);

/** A linear model whose weight is [outputs, inputs], as exporters write it. */
const turned = (): Architecture => {
  const base = createModel("logistic", { inputShape: [6], classes: CLASSES });
  const weights = base.weights.map((spec) =>
    spec.name === "fc1.weight" ? { ...spec, shape: [CLASSES, 6] } : spec,
  );
  return {
    ...base,
    id: "turned",
    weights,
    forward: (input, weightOf) => ({
      logits: gemm(reshape(input, [input.shape[0] ?? 1, 6]), weightOf("fc1.weight"), weightOf("fc1.bias"), {
        transB: true,
      }),
      nextBuffers: new Map(),
    }),
  };
};

const models: Readonly<Record<string, Architecture>> = {
  "a dense layer": createModel("logistic", { inputShape: [6], classes: CLASSES }),
  "a dense layer the other way round": turned(),
  "a convolution": createModel("cnn", { inputShape: [1, 8, 8], classes: CLASSES }),
};

function feedsOf(architecture: Architecture, count: number, seed: number) {
  const samples = blobs({
    count,
    featureShape: architecture.inputShape,
    classes: CLASSES,
    seed,
    spread: 0.4,
  });
  const features = new Float32Array(count * samples.featureLength);
  samples.gather([...samples.labels.keys()], features);
  return { samples, batch: { features, labels: BigInt64Array.from(samples.labels, BigInt) } };
}

async function transformed(
  architecture: Architecture,
  weights: ParameterSet,
  transformGradients: ParameterTransform | undefined,
  feeds: Parameters<Awaited<ReturnType<typeof compileObjective>>["evaluate"]>[1],
): Promise<ParameterSet> {
  await using objective = await compileObjective(
    architecture,
    {
      objective: (context) => ({
        loss: crossEntropy(context.forward(context.features("data")).logits, context.labels("data")),
      }),
      gradients: true,
      ...(transformGradients === undefined ? {} : { transformGradients }),
    },
    RUNTIME,
  );
  return (await objective.evaluate(weights, feeds)).gradients;
}

describe.each(Object.entries(models))("a projected step of %s", (_name, architecture) => {
  const weights = initialWeights(architecture, KEY);
  const [first] = matrixLayers(architecture);
  if (first === undefined) throw new Error("no layer");
  const name = first.weight.name;
  const isFirstWeight = (key: string): boolean => key === name;

  it("does not change what the layer does with the rows it is projected away from", async () => {
    const retain = feedsOf(architecture, 4, 1);
    const forget = feedsOf(architecture, 5, 2);
    await using moments = await compileLayerMoments(architecture, { ...RUNTIME, only: [name] });
    const own = (await moments.momentsOf(weights, retain.samples)).get(name);
    if (own === undefined) throw new Error("no moments");
    const { basis, rank } = inputSubspace(own, 1 - 1e-9);
    const size = moments.layers.get(name) as number;
    expect(basis).toHaveLength(size * rank);

    const bare = await transformed(architecture, weights, undefined, { data: forget.batch });
    const away = await transformed(architecture, weights, projectedAway("bases", [first]), {
      data: forget.batch,
      bases: { [name]: basis },
    });
    const onto = await transformed(architecture, weights, projectedOnto("bases", [first]), {
      data: forget.batch,
      bases: { [name]: basis },
    });
    for (const [key, values] of bare) {
      values.forEach((value, i) => {
        const sum =
          (away.get(key)?.[i] as number) + (isFirstWeight(key) ? (onto.get(key)?.[i] as number) : 0);
        expect(sum, `${key}[${i}]`).toBeCloseTo(value, 5);
      });
    }
    const step = (gradient: ParameterSet): ParameterSet =>
      new Map(weights).set(
        name,
        (weights.get(name) as Float32Array).map((w, i) => w - 5 * (gradient.get(name)?.[i] as number)),
      );
    await using predictor = await createPredictor(architecture, RUNTIME);
    const drift = async (gradient: ParameterSet): Promise<number> => {
      const before = await predictor.logitsOf(weights, retain.samples);
      const after = await predictor.logitsOf(step(gradient), retain.samples);
      return Math.max(...before.map((value, i) => Math.abs(value - (after[i] as number))));
    };
    expect(await drift(away)).toBeLessThan(1e-3);
    expect(await drift(bare)).toBeGreaterThan(0.05);
  });

  it("with an empty basis is the whole step", async () => {
    const { batch } = feedsOf(architecture, 5, 2);
    const feeds = { data: batch, bases: { [name]: new Float32Array(0) } };
    const away = await transformed(architecture, weights, projectedAway("bases", [first]), feeds);
    const bare = await transformed(architecture, weights, undefined, { data: batch });
    expect(away.get(name)).toEqual(bare.get(name));
  });
});

describe("gradients transformed one after another", () => {
  it("are masked, then clipped to a norm that those below it keep", async () => {
    const architecture = models["a dense layer"] as Architecture;
    const weights = initialWeights(architecture, KEY);
    const { batch } = feedsOf(architecture, 5, 2);
    const mask = new Map(
      [...weights].map(([name, values]) => [name, values.map((_, i) => Number(i % 3 === 0))]),
    );
    const bare = await transformed(architecture, weights, undefined, { data: batch });
    const kept = new Map(
      [...bare].map(([name, values]) => [name, values.map((v, i) => (i % 3 === 0 ? v : 0))]),
    );
    const norm = Math.sqrt(
      [...kept.values()].reduce((sum, values) => sum + values.reduce((s, v) => s + v * v, 0), 0),
    );
    for (const limit of [norm / 4, norm * 2]) {
      const found = await transformed(architecture, weights, inOrder(masked("mask"), clippedToNorm(limit)), {
        data: batch,
        mask,
      });
      for (const [name, values] of found) {
        values.forEach((value, i) => {
          expect(value).toBeCloseTo((kept.get(name)?.[i] as number) * Math.min(1, limit / norm), 6);
        });
      }
    }
  });
});
