import { LetheError } from "../kernel/errors.ts";
import { deriveKey, type Key, randomStream } from "../kernel/key.ts";
import { sizeOf } from "../kernel/layout.ts";
import { namesMatching } from "../kernel/name-patterns.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { add, matmul, mul } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import type { AddedProduct, NamedMatrix } from "../onnx/rewrite-model.ts";
import type { OpenArchitecture, WeightSpec } from "./architecture.ts";
import { layersOf } from "./derive-layers.ts";
import { withFrozen } from "./frozen.ts";
import { filled } from "./initializers.ts";
import type { DenseLayer } from "./layers.ts";
import { frozenNames } from "./select-trainable.ts";

/** Which matrices get an adapter, and how large it is. */
export interface LoraOptions {
  /** Patterns of the names of matrices (`*.attention.*`). */
  readonly targets: readonly string[];
  /** r, the columns of B and rows of A. */
  readonly rank: number;
  /** α; the product is added α/r times. */
  readonly alpha: number;
  /** Patterns of parameters that are trained whole beside the adapters, such as a new head; none when left out. */
  readonly train?: readonly string[];
}

/** A model with adapters. */
export interface LoraModel<Model extends OpenArchitecture> {
  /** Its weights are the adapters (and what is trained whole); its file, where it came from one, is written with both apart. */
  readonly architecture: Model;
  /** The weights of the model as it was, with the products added: what the model as it was computes the same with. */
  merged(weights: ParameterSet): ParameterSet;
}

/** A matrix with an adapter: W + (α/r)·left·right. */
interface Adapter {
  readonly weight: string;
  readonly left: WeightSpec;
  readonly right: WeightSpec;
}

/**
 * Low-rank adapters: W + (α/r)·B·A in place of matrices W [out, in], which are frozen; A ~ N(0, 1/r), B = 0, so that the model
 * starts as it was. Of a matrix that is kept as [in, out] the product is transposed: A is [in, r], B is [r, out].
 *
 * @param values - of all weights of `architecture`, at which they are frozen
 * @returns adapters are called `NAME.lora_A` and `NAME.lora_B`
 * @throws LETHE_USAGE_PATTERN for a pattern that fits no matrix; LETHE_USAGE_RANK for a rank that is no whole number from 1 to the
 *   smaller side of a matrix
 *
 * Source: Hu et al., arXiv 2106.09685, section 4.1. Departure: their code draws A by another rule; this one is their text's.
 */
export function withLora<Model extends OpenArchitecture>(
  architecture: Model,
  options: LoraOptions,
  values: ParameterSet,
): LoraModel<Model> {
  const { rank, alpha } = options;
  const adapters = adaptersFor(architecture, options);
  const parameters = architecture.weights.filter(({ role }) => role === "parameter").map(({ name }) => name);
  const trained = namesMatching(parameters, options.train ?? [], `parameters of ${architecture.id}`);
  for (const { weight } of adapters) trained.delete(weight);
  const adapted = withProducts(architecture, adapters, alpha / rank);
  return {
    architecture: withFrozen(adapted, frozenNames(architecture, trained), values),
    merged: (weights) => mergedWith(new Map([...values, ...weights]), adapters, alpha / rank),
  };
}

function adaptersFor(architecture: OpenArchitecture, { targets, rank }: LoraOptions): readonly Adapter[] {
  const matrices = new Map(
    layersOf(architecture).flatMap((layer) =>
      layer.kind === "dense" ? [[layer.weight.name, layer] as const] : [],
    ),
  );
  const chosen = namesMatching([...matrices.keys()], targets, `matrices of products in ${architecture.id}`);
  return [...chosen].map((name) => {
    const { weight, inputAxis } = matrices.get(name) as DenseLayer;
    const [rows, columns] = weight.shape as readonly [number, number];
    if (!Number.isInteger(rank) || rank < 1 || rank > Math.min(rows, columns)) {
      throw new LetheError(
        "usage",
        "USAGE_RANK",
        `Expected a rank from 1 to ${Math.min(rows, columns)} for \`${name}\` [${weight.shape}], got ${rank}.`,
      );
    }
    const [left, right] = [[rows, rank] as const, [rank, columns] as const];
    return inputAxis === 0
      ? { weight: name, left: firstFactor(name, left, rank), right: filled(`${name}.lora_B`, right, 0) }
      : { weight: name, left: filled(`${name}.lora_B`, left, 0), right: firstFactor(name, right, rank) };
  });
}

/** A ~ N(0, 1/r). */
function firstFactor(weight: string, shape: readonly number[], rank: number): WeightSpec {
  const name = `${weight}.lora_A`;
  const std = 1 / Math.sqrt(rank);
  const initial = (key: Key): Float32Array => {
    const stream = randomStream(deriveKey(key, "initial", name));
    return Float32Array.from({ length: sizeOf(shape) }, () => std * stream.normal());
  };
  return { name, shape, role: "parameter", initial };
}

/** The model with its adapters as further weights. */
function withProducts<Model extends OpenArchitecture>(
  architecture: Model,
  adapters: readonly Adapter[],
  scale: number,
): Model {
  const byWeight = new Map(adapters.map((adapter) => [adapter.weight, adapter]));
  const { forward, rewrite } = architecture;
  const adapted: OpenArchitecture = {
    ...architecture,
    weights: [...architecture.weights, ...adapters.flatMap(({ left, right }) => [left, right])],
    forward: (input, weightOf, mode, companions) => {
      const sumOf = (name: string): Value => {
        const adapter = byWeight.get(name);
        if (adapter === undefined) return weightOf(name);
        const product = matmul(weightOf(adapter.left.name), weightOf(adapter.right.name));
        return add(weightOf(name), mul(product, scale));
      };
      return forward(input, sumOf, mode, companions);
    },
    ...(rewrite && {
      rewrite: (weights, change) => {
        const own = new Set(architecture.weights.map(({ name }) => name));
        const tensors = new Map([...weights].filter(([name]) => own.has(name)));
        return rewrite(tensors, {
          ...change,
          products: adapters.map((adapter) => productOf(adapter, weights, scale)),
        });
      },
    }),
  };
  return adapted as Model;
}

function productOf({ weight, left, right }: Adapter, weights: ParameterSet, scale: number): AddedProduct {
  const matrix = ({ name, shape }: WeightSpec): NamedMatrix => ({
    name,
    shape: shape as readonly [number, number],
    data: weights.get(name) as Float32Array,
  });
  return { weight, left: matrix(left), right: matrix(right), scale };
}

/** All weights but the adapters, with the products added in double precision. */
function mergedWith(weights: ParameterSet, adapters: readonly Adapter[], scale: number): ParameterSet {
  const merged = new Map(weights);
  for (const { weight, left, right } of adapters) {
    merged.delete(left.name);
    merged.delete(right.name);
    const [rows, rank] = left.shape as readonly [number, number];
    const columns = right.shape[1] as number;
    const [before, a, b] = [weight, left.name, right.name].map((name) => weights.get(name)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const after = Float64Array.from(before);
    for (let row = 0; row < rows; row++) {
      for (let inner = 0; inner < rank; inner++) {
        const factor = scale * (a[row * rank + inner] as number);
        for (let column = 0; column < columns; column++) {
          const at = row * columns + column;
          after[at] = (after[at] as number) + factor * (b[inner * columns + column] as number);
        }
      }
    }
    merged.set(weight, Float32Array.from(after));
  }
  return merged;
}
