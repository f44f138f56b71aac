import { expect, it } from "vitest";
import { methodCase, unlearn } from "../../../test/contract/method-case.ts";
import { keyFromSeed } from "../../kernel/key.ts";
import { cnn } from "../../models/cnn.ts";
import { layersOf } from "../../models/derive-layers.ts";
import { cfK } from "../cf-k.ts";
import { euK } from "../eu-k.ts";
import { withFreshLayers } from "./fresh-layers.ts";
import { lastLayers } from "./last-layers.ts";

const architecture = cnn([1, 6, 6], 3, {
  id: "tiny",
  blocks: [{ channels: 2, kernel: 3, padding: 1, pool: 2 }],
  hidden: 5,
  batchNorm: true,
});
const { request } = await methodCase(architecture);

it("counts dense and convolution layers from the end, and takes all where there are fewer", () => {
  const kinds = (count: number) => lastLayers(architecture, count).map(({ kind }) => kind);
  expect(kinds(1)).toEqual(["dense"]);
  expect(kinds(2)).toEqual(["dense", "dense"]);
  expect(kinds(3)).toEqual(layersOf(architecture).map(({ kind }) => kind));
  expect(kinds(9)).toEqual(kinds(3));
});

it.each([cfK, euK])("$id moves the parameters of the last layers and no others", async (method) => {
  const { weights } = await unlearn(method, request, { layers: 2, epochs: 1 });
  const moved = architecture.weights
    .filter(
      ({ name, role }) =>
        role === "parameter" && String(weights.get(name)) !== String(request.weights.get(name)),
    )
    .map(({ name }) => name);
  const dense = lastLayers(architecture, 2).flatMap((layer) =>
    layer.kind === "dense" ? [layer.weight.name, layer.bias?.name] : [],
  );
  expect(moved.sort()).toEqual(dense.sort());
});

it("does not depend on the weights of the layers drawn anew", async () => {
  const [head] = lastLayers(architecture, 1);
  const other = withFreshLayers(architecture, request.weights, keyFromSeed(77), head ? [head] : []);
  const [first, second] = [await unlearn(euK, request), await unlearn(euK, { ...request, weights: other })];
  expect(second.weights).toEqual(first.weights);
  expect((await unlearn(cfK, { ...request, weights: other })).weights).not.toEqual(
    (await unlearn(cfK, request)).weights,
  );
});

it("draws layers within their bounds, normalisations at rest, and leaves the others alone", () => {
  const fresh = withFreshLayers(architecture, request.weights, keyFromSeed(5));
  for (const layer of layersOf(architecture)) {
    if (layer.kind === "norm") {
      expect([...(fresh.get(layer.scale.name) ?? [])]).toEqual([1, 1]);
      expect([...(fresh.get(layer.runningVariance?.name ?? "") ?? [])]).toEqual([1, 1]);
    } else if (layer.kind === "conv") {
      const values = fresh.get(layer.weight.name) as Float32Array;
      // Nine inputs a channel.
      expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(1 / 3);
      expect(new Set(values).size).toBeGreaterThan(values.length / 2);
    }
  }
  expect(withFreshLayers(architecture, request.weights, keyFromSeed(5), [])).toEqual(request.weights);
});
