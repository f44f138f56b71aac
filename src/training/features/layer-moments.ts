import { knownSize, spatialSizes } from "../../autodiff/operators/known.ts";
import { patches } from "../../autodiff/operators/patches.ts";
import { windowOf } from "../../autodiff/operators/window.ts";
import { batchesOf } from "../../data/batches.ts";
import type { Samples } from "../../data/dataset.ts";
import { LetheError } from "../../kernel/errors.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Architecture } from "../../models/architecture.ts";
import { layersOf } from "../../models/derive-layers.ts";
import type { ConvLayer, DenseLayer } from "../../models/layers.ts";
import { countOf, gemm, reduceMean, reshape, sub, transpose } from "../../onnx/functions/index.ts";
import type { GraphNode, Value } from "../../onnx/ir.ts";
import { nodesBehind } from "../../onnx/nodes-behind.ts";
import type { RuntimeOptions } from "../../runtime/program.ts";
import { compileValues } from "../compiled-values.ts";
import { layerNode } from "./feature-value.ts";
import { emptyMoments, type Moments, mergeMoments } from "./moments.ts";

/** Statistics of what goes into layers. */
export interface LayerMoments extends AsyncDisposable {
  /** The layers looked at, by the name of their weight, and the numbers of one of their input rows. */
  readonly layers: ReadonlyMap<string, number>;
  /** Moments of all input rows of each layer over the samples: of a dense layer one row a sample, of a convolution one a patch. */
  momentsOf(weights: ParameterSet, samples: Samples): Promise<ReadonlyMap<string, Moments>>;
}

/** Samples a run; a run's sums are of single precision, those over runs of double. */
const BATCH = 64;

/**
 * Compiles the moments of layer inputs: the representation matrix RᵀR of gradient projection, whose leading eigenvectors span
 * what the samples feed into a layer. Gradients of a layer's weights lie in the span of its input rows.
 *
 * A row has the order of the layer's weight as a matrix: inputs of a dense layer, (channel, kernel position) of a convolution.
 * Convolutions in groups are left out, as their groups see different rows.
 *
 * @param only - names of weights; every dense and convolution layer when left out
 * @throws LETHE_USAGE_LAYER for a name that is no such layer
 * Source: G. Saha, I. Garg, K. Roy, arXiv 2103.09762 (gradient projection memory), section 4.
 */
export async function compileLayerMoments(
  architecture: Architecture,
  { only, ...runtime }: RuntimeOptions & { readonly only?: readonly string[] } = {},
): Promise<LayerMoments> {
  const sizes = new Map<string, number>();
  const values = await compileValues(
    architecture,
    (context) => {
      const { logits } = context.forward(context.features("data"), { mode: "inference" });
      const nodes = nodesBehind([logits]);
      const outputs: Record<string, Value> = {};
      for (const { name } of matrixLayers(architecture, only)) {
        const node = layerNode(nodes, context.weights.get(name) as Value) as GraphNode;
        const rows = inputRows(node);
        const mean = reduceMean(rows, { axes: [0] });
        const centred = sub(rows, mean);
        sizes.set(name, knownSize(rows, 1));
        outputs[`count:${name}`] = countOf(rows, [0]);
        outputs[`mean:${name}`] = mean;
        outputs[`scatter:${name}`] = gemm(centred, centred, undefined, { transA: true });
      }
      return outputs;
    },
    runtime,
  );
  return {
    layers: sizes,
    async momentsOf(weights, samples) {
      const moments = new Map([...sizes].map(([name, size]) => [name, emptyMoments(size)]));
      for (const { features } of batchesOf(samples, BATCH)) {
        const part = await values.run(weights, { data: { features } });
        for (const [name, sum] of moments) {
          const count = Number(part[`count:${name}`]?.[0]);
          const mean = Float64Array.from(part[`mean:${name}`] as Float32Array);
          const scatter = Float64Array.from(part[`scatter:${name}`] as Float32Array);
          moments.set(name, mergeMoments(sum, { count, mean, scatter }));
        }
      }
      return moments;
    },
    [Symbol.asyncDispose]: () => values[Symbol.asyncDispose](),
  };
}

/** What a layer multiplies its weight with, [rows, inputs]. */
function inputRows(node: GraphNode): Value {
  const [x, w] = node.inputs as [Value, Value];
  if (node.type !== "Conv") return reshape(x, ["rows", knownSize(x, x.shape.length - 1)]);
  const columns = patches(x, windowOf(node.attributes, spatialSizes(w), spatialSizes(x)));
  return reshape(transpose(columns, [0, 2, 1]), ["rows", knownSize(columns, 1)]);
}

/** The layers whose gradients are products with their input rows. */
export function matrixLayers(
  architecture: Architecture,
  only?: readonly string[],
): readonly (DenseLayer | ConvLayer)[] {
  const all = layersOf(architecture).filter(
    (layer): layer is DenseLayer | ConvLayer =>
      layer.kind === "dense" || (layer.kind === "conv" && layer.group === 1),
  );
  const unknown = only?.find((name) => !all.some((layer) => layer.name === name));
  if (unknown !== undefined) {
    throw new LetheError(
      "usage",
      "USAGE_LAYER",
      `Expected dense or convolution layers of \`${architecture.id}\` (${all.map(({ name }) => name).join(", ") || "it has none"}), got \`${unknown}\`.`,
    );
  }
  return only === undefined ? all : all.filter(({ name }) => only.includes(name));
}
