import { sizeOf } from "../kernel/layout.ts";
import type { ConvLayer, DenseLayer } from "../models/layers.ts";
import {
  add,
  div,
  matmul,
  maximum,
  mul,
  reduceSum,
  reshape,
  sqrt,
  square,
  sub,
  transposeLast,
} from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import type { ParameterTransform } from "./objective-graph.ts";

/** One transform after another, the first one given first. */
export function inOrder(...transforms: readonly ParameterTransform[]): ParameterTransform {
  return (values, context) => transforms.reduce((current, transform) => transform(current, context), values);
}

/** Every value times a mask of its shape, fed at every run as a parameter set called `name`. */
export function masked(name: string): ParameterTransform {
  return (values, context) => {
    const masks = context.parameterSet(name);
    return new Map([...values].map(([key, value]) => [key, mul(value, masks.get(key) as Value)]));
  };
}

/**
 * What a step gives where a mask is 1, and what was there before it where the mask is 0: as `transformWeights`, so that no
 * optimizer's decay or momentum moves what is held. The mask is fed at every run as a parameter set called `name`.
 */
export function steppedWhere(name: string): ParameterTransform {
  return (values, context) => {
    const masks = context.parameterSet(name);
    return new Map(
      [...values].map(([key, value]) => {
        const mask = masks.get(key) as Value;
        return [key, add(mul(value, mask), mul(context.weights.get(key) as Value, sub(1, mask)))];
      }),
    );
  };
}

/**
 * All values together shortened to a norm: g·min(1, limit/‖g‖) with ‖g‖ over all parameters.
 *
 * @param limit - > 0
 * Source: R. Pascanu, T. Mikolov, Y. Bengio, arXiv 1211.5063, algorithm 1.
 */
export function clippedToNorm(limit: number): ParameterTransform {
  return (values) => {
    const squares = [...values.values()].map((value) => reduceSum(square(value)));
    const ratio = mul(sqrt(squares.reduce(add)), 1 / limit);
    return new Map([...values].map(([key, value]) => [key, div(value, maximum(ratio, 1))]));
  };
}

/** A layer whose weight is a matrix from input rows to outputs. */
type MatrixLayer = DenseLayer | ConvLayer;

/**
 * The weights of layers without their part in given spaces of input rows, G ← G − UUᵀG, so that a step does not change what a
 * layer does with rows in the span of U. Parameters of no such layer pass as they are.
 *
 * @param name - the orthonormal bases U are fed as `name: { "fc1.weight": U }`, each [inputs, rank] with any rank ≥ 1
 * @param layers - the layers that are projected
 * Source: G. Saha, I. Garg, K. Roy, arXiv 2103.09762, equation 6.
 */
export function projectedAway(name: string, layers: readonly MatrixLayer[]): ParameterTransform {
  return projected(name, layers, (rows, inside) => sub(rows, inside));
}

/** The weights of layers reduced to their part in given spaces of input rows, G ← UUᵀG; as {@link projectedAway}. */
export function projectedOnto(name: string, layers: readonly MatrixLayer[]): ParameterTransform {
  return projected(name, layers, (_rows, inside) => inside);
}

function projected(
  name: string,
  layers: readonly MatrixLayer[],
  combine: (rows: Value, inside: Value) => Value,
): ParameterTransform {
  const byWeight = new Map(layers.map((layer) => [layer.weight.name, layer]));
  return (values, context) =>
    new Map(
      [...values].map(([key, value]) => {
        const layer = byWeight.get(key);
        if (layer === undefined) return [key, value];
        const rows = asRows(value, layer); // [outputs, inputs]
        const basis = context.tensor(`${name}:${key}`, [rows.shape[1] ?? 1, `${name}:${key}:rank`]);
        const inside = matmul(matmul(rows, basis), transposeLast(basis));
        return [key, asWeight(combine(rows, inside), layer)];
      }),
    );
}

/** A weight as a matrix [outputs, inputs]. */
function asRows(value: Value, layer: MatrixLayer): Value {
  if (layer.kind === "dense") return layer.inputAxis === 0 ? transposeLast(value) : value;
  const [outputs = 1, ...inputs] = layer.weight.shape;
  return reshape(value, [outputs, sizeOf(inputs)]);
}

function asWeight(rows: Value, layer: MatrixLayer): Value {
  if (layer.kind === "dense") return layer.inputAxis === 0 ? transposeLast(rows) : rows;
  return reshape(rows, layer.weight.shape);
}
