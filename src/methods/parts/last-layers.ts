import { z } from "zod";
import type { Progress } from "../../kernel/events.ts";
import { deriveKey, type Key } from "../../kernel/key.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { type Architecture, layoutOfArchitecture } from "../../models/architecture.ts";
import { layersOf } from "../../models/derive-layers.ts";
import type { LayerLayout } from "../../models/layers.ts";
import { crossEntropy } from "../../training/losses.ts";
import { optimizerSchema } from "../../training/optimizers.ts";
import type { MethodResult, RequestWith } from "../contract.ts";
import { iterate, ordersOf } from "../iterative.ts";
import { fedAs, minibatches } from "./minibatches.ts";

/** Settings of training the last layers alone. */
export const lastLayersSchema = z.strictObject({
  /** k: dense and convolution layers, from the end; all where there are fewer. */
  layers: z.int().min(1).default(1),
  epochs: z.int().min(1).default(3),
  batchSize: z.int().min(1).default(64),
  learningRate: z.number().positive().default(0.02),
  optimizer: optimizerSchema.prefault({ id: "sgd", momentum: 0.9 }),
});

/**
 * The last k dense and convolution layers, in the order of the graph, and the normalisations among them. With k of at least the
 * number of such layers these are all layers, parameters of no known form included.
 */
export function lastLayers(architecture: Architecture, count: number): readonly LayerLayout[] {
  const layers = layersOf(architecture);
  const matrices = layers.flatMap(({ kind }, index) => (kind === "dense" || kind === "conv" ? [index] : []));
  if (count >= matrices.length) return layers;
  return layers.slice(matrices.at(-count)).filter(({ kind }) => kind !== "other");
}

/**
 * Trains some layers on the retain samples and holds the parameters of all others. Running statistics follow the retain samples in
 * every layer, as they do in frameworks that freeze parameters.
 *
 * @param start - the weights before the first step
 */
export async function* trainLayers(
  request: RequestWith<"retain">,
  config: z.output<typeof lastLayersSchema>,
  layers: readonly LayerLayout[],
  start: ParameterSet,
  key: Key,
): Progress<MethodResult> {
  const { workbench, architecture, retain } = request;
  const { epochs, batchSize, learningRate, optimizer } = config;
  const slots = layers.flatMap(parametersOf);
  const names = new Set(slots.map(({ name }) => name));
  const step = await workbench.step({
    optimizer,
    trained: (name) => names.has(name),
    objective: (context) => ({
      loss: crossEntropy(context.forward(context.features("retain")).logits, context.labels("retain")),
    }),
  });
  const order = { batchSize, key: deriveKey(key, "order") };
  const end = yield* iterate(request, {
    epochs,
    start,
    steps: (epoch) => ordersOf(step, fedAs("retain", minibatches(retain, { ...order, epoch })), learningRate),
  });
  const trained = slots.reduce((sum, { length }) => sum + length, 0);
  return { ...end, details: { trainedShare: trained / layoutOfArchitecture(architecture).parameterLength } };
}

function parametersOf(layer: LayerLayout): { readonly name: string; readonly length: number }[] {
  switch (layer.kind) {
    case "dense":
    case "conv":
      return layer.bias === undefined ? [layer.weight] : [layer.weight, layer.bias];
    case "norm":
      return [layer.scale, layer.shift];
    case "other":
      return [...layer.slots];
    default:
      return layer satisfies never;
  }
}
