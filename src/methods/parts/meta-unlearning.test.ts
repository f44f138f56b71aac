import { describe, expect, it } from "vitest";
import { blobs } from "../../../test/support/blobs.ts";
import type { NdArray } from "../../../test/support/interpreter/nd-array.ts";
import { interpret } from "../../../test/support/interpreter.ts";
import { gradients } from "../../autodiff/gradients.ts";
import { operators } from "../../autodiff/operators/index.ts";
import { keyFromSeed } from "../../kernel/key.ts";
import { initialWeights } from "../../models/architecture.ts";
import { createModel } from "../../models/index.ts";
import { Graph } from "../../onnx/graph.ts";
import type { Value } from "../../onnx/ir.ts";
import { crossEntropy } from "../../training/losses.ts";
import { createContext } from "../../training/objective-context.ts";
import { membershipFamilies } from "./membership-families.ts";
import { type MetaObjectives, metaObjectives } from "./meta-unlearning.ts";

const CLASSES = 3;
const KEY = keyFromSeed(6);
const architecture = createModel("mlp:4", { inputShape: [3], classes: CLASSES });
const weights = initialWeights(architecture, KEY);
const models = membershipFamilies(CLASSES).map((family) => ({
  architecture: family,
  weights: initialWeights(family, KEY),
}));
/** Not 1, so that a forgotten weight is found out. */
const TEST_WEIGHT = 3;
const QUERIES = 2;

const array = (shape: readonly number[], data: Iterable<number>): NdArray => ({
  shape,
  data: Float64Array.from(data),
});

/** Everything the objectives are fed, in double precision. */
const feeds: Readonly<Record<string, NdArray>> = Object.fromEntries([
  ...architecture.weights.map(({ name, shape }) => [name, array(shape, weights.get(name) ?? [])]),
  ...models.flatMap((model) =>
    model.architecture.weights.map(({ name, shape }) => [
      `${model.architecture.id}:${name}`,
      array(shape, model.weights.get(name) ?? []),
    ]),
  ),
  ...["forget", "other", "query:0", "query:1"].flatMap((name, seed) => {
    const count = 4 + seed;
    const samples = blobs({ count, featureShape: [3], classes: CLASSES, seed, spread: 0.4 });
    const features = new Float32Array(count * 3);
    samples.gather([...samples.labels.keys()], features);
    return [
      [`${name}:features`, array([count, 3], features)],
      [`${name}:labels`, array([count], samples.labels)],
      [
        `${name}:wrong`,
        array(
          [count],
          samples.labels.map((label) => (label + 1) % CLASSES),
        ),
      ],
    ];
  }),
  ["support", array([3], [0, 1, 0])],
]);

/** The objectives and the gradients of both by the first layer's weights, at weights moved along one element. */
function objectives(rate: number, secondOrder = true) {
  const graph = new Graph(operators);
  const { context } = createContext(graph, architecture);
  const made = metaObjectives(context, {
    step: { rate, secondOrder },
    queries: QUERIES,
    testWeight: TEST_WEIGHT,
    models,
  });
  const weight = context.weights.get("fc1.weight") as Value;
  const slopes = { retain: gradients(made.retain, [weight])[0], forget: gradients(made.forget, [weight])[0] };
  return { context, made, slopes };
}

function valueAt(value: Value, element = 0, moved = 0): number {
  const { shape, data } = feeds["fc1.weight"] as NdArray;
  const [result] = interpret([value], {
    ...feeds,
    "fc1.weight": { shape, data: data.with(element, (data[element] ?? 0) + moved) },
  });
  return result?.data[0] as number;
}

describe("the objectives of LTU", () => {
  // A step so large that the curvature is felt.
  const RATE = 0.3;

  it.each(["retain", "forget"] as const)("have exact gradients through the virtual step (%s)", (which) => {
    const { made, slopes } = objectives(RATE);
    const [exact] = interpret([slopes[which]], feeds) as [NdArray];
    const scale = Math.max(...exact.data.map(Math.abs));
    const step = 1e-5;
    for (const element of exact.data.keys()) {
      const up = valueAt(made[which], element, step);
      const down = valueAt(made[which], element, -step);
      expect(Math.abs((up - down) / (2 * step) - (exact.data[element] as number))).toBeLessThan(1e-3 * scale);
    }
  });

  it.each(["retain", "forget"] as const)(
    "have other gradients in first order, and the same values (%s)",
    (which) => {
      const [exact, first] = [objectives(RATE), objectives(RATE, false)];
      expect(valueAt(first.made[which])).toBeCloseTo(valueAt(exact.made[which]), 12);
      const [a] = interpret([exact.slopes[which]], feeds) as [NdArray];
      const [b] = interpret([first.slopes[which]], feeds) as [NdArray];
      const gap = Math.max(...a.data.map((value, at) => Math.abs(value - (b.data[at] as number))));
      expect(gap).toBeGreaterThan(1e-2 * Math.max(...a.data.map(Math.abs)));
    },
  );

  it("are sums of plain losses where the virtual step has no length, and others where it has", () => {
    const { context, made } = objectives(0);
    const lossOf = (batch: string, labels: Value): Value =>
      crossEntropy(context.forward(context.features(batch), { mode: "inference" }).logits, labels);
    const parts = [
      lossOf("forget", context.tensor("forget:wrong", ["forget"], "int64")),
      lossOf("query:0", context.labels("query:0")),
      lossOf("query:1", context.labels("query:1")),
    ];
    const [tune, ...tests] = parts.map((part) => valueAt(part)) as [number, ...number[]];
    const sum = tests.reduce((total, test) => total + TEST_WEIGHT * test, tune);
    expect(valueAt(made.retain)).toBeCloseTo(sum, 10);
    const stepped: MetaObjectives = objectives(RATE).made;
    expect(Math.abs(valueAt(stepped.retain) - sum)).toBeGreaterThan(1e-3);
  });
});
