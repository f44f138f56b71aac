import { deriveKey, type Key, type RandomStream, randomStream } from "../../kernel/key.ts";
import type { TensorSlot } from "../../kernel/layout.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Architecture } from "../../models/architecture.ts";
import { layersOf } from "../../models/derive-layers.ts";
import type { LayerLayout } from "../../models/layers.ts";

/**
 * The weights with some layers drawn anew: dense and convolution layers uniform in ±1/√fan-in, as PyTorch starts them,
 * normalisations at scale 1 and shift 0 with statistics 0 and 1, parameters of no known form normal with the mean and spread they
 * have. (An imported model's own start is its trained weights, so it cannot be asked.)
 *
 * @param layers - of {@link layersOf}; all when left out
 */
export function withFreshLayers(
  architecture: Architecture,
  weights: ParameterSet,
  key: Key,
  layers: readonly LayerLayout[] = layersOf(architecture),
): ParameterSet {
  const fresh = new Map(weights);
  const draw = (slot: TensorSlot | undefined, value: (stream: RandomStream) => number): void => {
    if (slot === undefined) return;
    const stream = randomStream(deriveKey(key, slot.name));
    fresh.set(
      slot.name,
      Float32Array.from({ length: slot.length }, () => value(stream)),
    );
  };
  for (const layer of layers) {
    switch (layer.kind) {
      case "dense":
      case "conv": {
        const bound = 1 / Math.sqrt(fanIn(layer));
        draw(layer.weight, (stream) => bound * (2 * stream.uniform() - 1));
        draw(layer.bias, (stream) => bound * (2 * stream.uniform() - 1));
        break;
      }
      case "norm":
        draw(layer.scale, () => 1);
        draw(layer.shift, () => 0);
        draw(layer.runningMean, () => 0);
        draw(layer.runningVariance, () => 1);
        break;
      case "other":
        for (const slot of layer.slots) {
          const { mean, std } = spreadOf(weights.get(slot.name) as Float32Array);
          draw(slot, (stream) => mean + std * stream.normal());
        }
        break;
      default:
        layer satisfies never;
    }
  }
  return fresh;
}

function fanIn(layer: Extract<LayerLayout, { kind: "dense" | "conv" }>): number {
  if (layer.kind === "dense") return layer.weight.shape[layer.inputAxis] as number;
  return layer.weight.length / (layer.weight.shape[0] as number);
}

function spreadOf(values: Float32Array): { readonly mean: number; readonly std: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(square) };
}
