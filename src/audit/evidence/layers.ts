import { batchesOf } from "../../data/batches.ts";
import type { Samples } from "../../data/dataset.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { type Features, linearCka } from "../../metrics/feature-similarity.ts";
import type { Architecture } from "../../models/architecture.ts";
import { flatten } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import { nodesBehind } from "../../onnx/nodes-behind.ts";
import type { RuntimeOptions } from "../../runtime/program.ts";
import { compileValues } from "../../training/compiled-values.ts";
import { layerInput } from "../../training/features/feature-value.ts";
import type { AuditedModels } from "../audit.ts";
import type { AuditSets } from "../scored-model.ts";

/** Likeness (linear CKA) of what goes into one layer, between pairs of models; 0 where it does not vary. */
export interface LayerRow {
  /** Name of the layer's weight, or `answers` for the class scores. */
  readonly layer: string;
  readonly unlearnedToOriginal: number;
  readonly unlearnedToRetrained: number;
  readonly originalToRetrained: number;
  /** Between two retrained models: what equally trained models have in common. */
  readonly retrainedToRetrained: number;
}

/** Samples of each set: alignment is quadratic in them. */
const SAMPLES = 60;
/** Layers shown; of deeper models evenly chosen ones. */
const MOST_LAYERS = 12;

/**
 * Layer by layer, whether the unlearned model computes what the original does or what retrained models do, on forgotten and unseen samples.
 * Empty for a model without dense or convolution layers.
 */
export async function layersOf(
  architecture: Architecture,
  models: AuditedModels["weights"],
  sets: AuditSets,
  runtime: RuntimeOptions,
): Promise<readonly LayerRow[]> {
  const names: string[] = [];
  await using values = await compileValues(
    architecture,
    (context) => {
      const { logits } = context.forward(context.features("data"), { mode: "inference" });
      const nodes = nodesBehind([logits]);
      const weights = [...context.weights.values()];
      const inputs = [...context.weights].flatMap(([name, weight]): [string, Value][] => {
        const value = layerInput(nodes, weight);
        // What goes into a first layer is the data, for every model the same.
        return value === undefined || !isComputed(value, weights) ? [] : [[name, value]];
      });
      const outputs: [string, Value][] = [...evenly(inputs, MOST_LAYERS - 1), ["answers", logits]];
      names.push(...outputs.map(([name]) => name));
      return Object.fromEntries(
        outputs.map(([name, value]) => [name, value.shape.length === 2 ? value : flatten(value)]),
      );
    },
    runtime,
  );
  const drawn = [sets.forget, sets.unseen].map((samples) =>
    samples.subset([...samples.labels.keys()].slice(0, SAMPLES)),
  );
  const featuresOf = async (tensors: ParameterSet): Promise<ReadonlyMap<string, Features>> => {
    const parts = new Map(names.map((name) => [name, [] as number[]]));
    for (const samples of drawn) {
      for (const { features } of batchesOf(samples, SAMPLES)) {
        const run = await values.run(tensors, { data: { features } });
        for (const [name, rows] of parts) rows.push(...Array.from(run[name] as Float32Array));
      }
    }
    const count = drawn.reduce((sum, { count: own }: Samples) => sum + own, 0);
    return new Map(
      [...parts].map(([name, rows]) => [
        name,
        { values: Float32Array.from(rows), width: rows.length / count },
      ]),
    );
  };
  const original = await featuresOf(models.original);
  const unlearned = await featuresOf(models.unlearned);
  const [one, other] = [
    await featuresOf(models.retrained[0] as ParameterSet),
    await featuresOf(models.retrained[1] as ParameterSet),
  ];
  return names.map((layer) => {
    const cka = (a: ReadonlyMap<string, Features>, b: ReadonlyMap<string, Features>): number =>
      linearCka(a.get(layer) as Features, b.get(layer) as Features) ?? 0;
    return {
      layer,
      unlearnedToOriginal: cka(unlearned, original),
      unlearnedToRetrained: cka(unlearned, one),
      originalToRetrained: cka(original, one),
      retrainedToRetrained: cka(one, other),
    };
  });
}

function isComputed(value: Value, weights: readonly Value[]): boolean {
  const nodes = nodesBehind([value]);
  return weights.some((weight) => layerInput(nodes, weight) !== undefined);
}

function evenly<Item>(items: readonly Item[], most: number): readonly Item[] {
  if (items.length <= most) return items;
  return Array.from(
    { length: most },
    (_, at) => items[Math.round((at * (items.length - 1)) / (most - 1))] as Item,
  );
}
