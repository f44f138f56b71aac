import { numberAttribute } from "../onnx/attributes.ts";
import {
  add,
  div,
  gemm,
  matmul,
  mul,
  neg,
  onesLike,
  reduceSum,
  reshape,
  sqrt,
  square,
  sub,
  sumTo,
  transposeLast,
  unsqueeze,
} from "../onnx/functions/index.ts";
import type { GraphNode, Value } from "../onnx/ir.ts";
import type { Shape } from "../onnx/shape.ts";
import { groupOf } from "./operators/conv.ts";
import { knownSize, spatialSizes } from "./operators/known.ts";
import { patches } from "./operators/patches.ts";
import { windowOf } from "./operators/window.ts";

/** Every sample's gradient of one parameter, and what is often wanted of it. Values nobody uses are never computed. */
export interface PerSample {
  /** [batch, …shape] */
  readonly gradients: Value;
  /** ‖gₙ‖², [batch] */
  readonly squaredNorms: Value;
  /** Σₙ gₙ², element by element, […shape] */
  readonly sumOfSquares: Value;
}

/** One use of a parameter: the node, which of its inputs the parameter is, and ∂/∂(the node's output), [batch, …]. */
export interface ParameterUse {
  readonly node: GraphNode;
  readonly index: number;
  readonly gradient: Value;
}

/** The gradient of every sample at one use of a parameter, or `undefined` where there is no rule for it. */
export function perSampleRule(use: ParameterUse): PerSample | undefined {
  const { node, index } = use;
  switch (node.type) {
    case "Gemm":
      return index === 1 ? denseWeight(use) : index === 2 ? gemmBias(use) : undefined;
    case "MatMul":
      return index === 1 ? productWeight(use) : undefined;
    case "Conv":
      return index === 1 ? filter(use) : index === 2 ? channelSum(use.gradient) : undefined;
    case "BatchNormalization":
      return index === 1 ? normScale(use) : index === 2 ? channelSum(use.gradient) : undefined;
    case "LayerNormalization":
      return index === 1
        ? layerNormScale(use)
        : index === 2
          ? broadcastOperand(use, use.gradient)
          : undefined;
    case "Add":
      return broadcastOperand(use, use.gradient);
    case "Sub":
      return broadcastOperand(use, index === 0 ? use.gradient : neg(use.gradient));
    case "Mul":
      return broadcastOperand(use, mul(use.gradient, node.inputs[1 - index] as Value));
    default:
      return undefined;
  }
}

/** What follows from gradients [batch, …shape] alone. */
export function fromGradients(gradients: Value): PerSample {
  const squares = square(gradients);
  const axes = gradients.shape.slice(1).map((_, axis) => axis + 1);
  return {
    gradients,
    squaredNorms: reduceSum(squares, { axes }),
    sumOfSquares: reduceSum(squares, { axes: [0] }),
  };
}

/** y = αxW (or αxWᵀ): gₙ = α·xₙδₙᵀ, whose norm is α‖xₙ‖‖δₙ‖. */
function denseWeight({ node, gradient }: ParameterUse): PerSample | undefined {
  if (numberAttribute(node.attributes, "transA", 0) !== 0) return undefined;
  const isTransposed = numberAttribute(node.attributes, "transB", 0) !== 0;
  const delta = mul(gradient, numberAttribute(node.attributes, "alpha", 1));
  return outerProduct(node.inputs[0] as Value, delta, isTransposed);
}

/** @param isTransposed - gives [batch, out, in] for [batch, in, out] */
function outerProduct(x: Value, delta: Value, isTransposed: boolean): PerSample {
  const [left, right] = isTransposed ? [delta, x] : [x, delta];
  return {
    gradients: mul(unsqueeze(left, [2]), unsqueeze(right, [1])),
    squaredNorms: mul(reduceSum(square(x), { axes: [1] }), reduceSum(square(delta), { axes: [1] })),
    sumOfSquares: gemm(square(left), square(right), undefined, { transA: true }),
  };
}

function gemmBias(use: ParameterUse): PerSample | undefined {
  return broadcastOperand(use, mul(use.gradient, numberAttribute(use.node.attributes, "beta", 1)));
}

/** y = xW with axes between batch and features: gₙ = Xₙᵀ·Δₙ. */
function productWeight({ node, gradient }: ParameterUse): PerSample | undefined {
  const [x, w] = node.inputs as [Value, Value];
  if (w.shape.length !== 2 || x.shape.length < 2) return undefined;
  if (x.shape.length === 2) return outerProduct(x, gradient, false);
  const between = x.shape.slice(1, -1);
  if (!between.every((dim) => typeof dim === "number")) return undefined;
  const rows = between.reduce((product, dim) => product * dim, 1);
  const [batch] = x.shape;
  const stack = (value: Value): Value => reshape(value, [batch ?? 1, rows, value.shape.at(-1) ?? 1]);
  return fromGradients(matmul(transposeLast(stack(x)), stack(gradient)));
}

/** gₙ[m, r] = Σₒ δₙ[m, o]·patchesₙ[r, o], within each group. */
function filter({ node, gradient }: ParameterUse): PerSample {
  const [x, w] = node.inputs as [Value, Value];
  const group = groupOf(node.attributes);
  const window = windowOf(node.attributes, spatialSizes(w), spatialSizes(x));
  const columns = patches(x, window); // [batch, C·taps, outputs]
  const [batch] = gradient.shape;
  const outputs = knownSize(columns, 2);
  const split = (value: Value, rows: number): Value =>
    group === 1
      ? reshape(value, [batch ?? 1, rows, outputs])
      : reshape(value, [batch ?? 1, group, rows / group, outputs]);
  const product = matmul(
    split(gradient, knownSize(w, 0)),
    transposeLast(split(columns, knownSize(columns, 1))),
  );
  return fromGradients(reshape(product, [batch ?? 1, ...w.shape]));
}

/** A number per channel that is added: gₙ = Σ over space of δₙ. */
function channelSum(gradient: Value): PerSample {
  const space = gradient.shape.slice(2).map((_, axis) => axis + 2);
  return fromGradients(reduceSum(gradient, { axes: space }));
}

/** γ of a normalisation with given statistics: gₙ = Σ over space of δₙ·(xₙ − mean)/√(variance + ε). */
function normScale({ node, gradient }: ParameterUse): PerSample {
  const [x, , , mean, variance] = node.inputs as [Value, Value, Value, Value, Value];
  const channels: Shape = [x.shape[1] ?? 1, ...x.shape.slice(2).map(() => 1)];
  const deviation = sqrt(add(variance, numberAttribute(node.attributes, "epsilon", 1e-5)));
  const normalised = div(sub(x, reshape(mean, channels)), reshape(deviation, channels));
  return channelSum(mul(gradient, normalised));
}

/** γ of a layer normalisation, over its own axes: gₙ = Σ over the others of δₙ·x̂ₙ. */
function layerNormScale(use: ParameterUse): PerSample | undefined {
  const [x, scale] = use.node.inputs as [Value, Value];
  const { epsilon, axis } = use.node.attributes;
  const settings = { ...(epsilon && { epsilon }), ...(axis && { axis }) };
  const normalised = x.graph.apply("LayerNormalization", [x, onesLike(scale)], settings);
  return broadcastOperand(use, mul(use.gradient, normalised));
}

/** A parameter that broadcasting stretched over the batch: sums within each sample only. */
function broadcastOperand({ node, index }: ParameterUse, gradient: Value): PerSample | undefined {
  const { shape } = node.inputs[index] as Value;
  const inner = shape.length === gradient.shape.length ? shape.slice(1) : shape;
  // A parameter with an axis of its own along the batch belongs to no sample.
  if (shape.length === gradient.shape.length && shape[0] !== 1) return undefined;
  const [batch] = gradient.shape;
  const ones = gradient.shape.slice(1, gradient.shape.length - inner.length).map(() => 1);
  const summed = sumTo(gradient, [batch ?? 1, ...ones, ...inner]);
  return fromGradients(reshape(summed, [batch ?? 1, ...shape]));
}
