import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import {
  exp,
  gemm,
  matmul,
  mul,
  reduceSum,
  squeeze,
  sub,
  sumTo,
  transposeLast,
  unsqueeze,
} from "../../onnx/functions/index.ts";
import type { GraphNode, Value } from "../../onnx/graph.ts";
import type { Operator } from "../../onnx/operator.ts";
import { broadcastShapes, type Dim, formatShape, normalizeAxis } from "../../onnx/shape.ts";
import { inputOf } from "./rule.ts";

/** Matrix products and the softmax family. */
export const linearOperators: readonly Operator[] = [
  {
    type: "MatMul",
    infer: (context) => {
      const [a, b] = [inputOf(context, 0), inputOf(context, 1)];
      const rows = a.shape.length === 1 ? [] : [a.shape.at(-2) as Dim];
      const columns = b.shape.length === 1 ? [] : [b.shape.at(-1) as Dim];
      requireEqual(a.shape.at(-1), b.shape.length === 1 ? b.shape[0] : b.shape.at(-2), a, b);
      const lead = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
      return [{ dtype: a.dtype, shape: [...lead, ...rows, ...columns] }];
    },
    // Ȳ = ∂loss/∂(AB): Ā = Ȳ·Bᵀ, B̄ = Aᵀ·Ȳ, summed over broadcast leading axes. Vectors are treated as matrices.
    gradient: ({ inputs, gradients: [dy], wanted }) => {
      const [a, b] = inputs as [Value, Value];
      if (dy === undefined) return [];
      const left = a.shape.length === 1 ? unsqueeze(a, [0]) : a;
      const right = b.shape.length === 1 ? unsqueeze(b, [1]) : b;
      const rowed =
        a.shape.length === 1 ? unsqueeze(dy, [b.shape.length === 1 ? 0 : dy.shape.length - 1]) : dy;
      const full = b.shape.length === 1 ? unsqueeze(rowed, [rowed.shape.length]) : rowed;
      const da = () => sumTo(matmul(full, transposeLast(right)), left.shape);
      const db = () => sumTo(matmul(transposeLast(left), full), right.shape);
      return [
        wanted[0] ? (a === left ? da() : squeeze(da(), [0])) : undefined,
        wanted[1] ? (b === right ? db() : squeeze(db(), [1])) : undefined,
      ];
    },
  },
  {
    type: "Gemm",
    infer: (context) => {
      const [a, b] = [inputOf(context, 0), inputOf(context, 1)];
      const { transA, transB } = flagsOf(context);
      const [m, k] = transA ? [a.shape[1], a.shape[0]] : a.shape;
      const [k2, n] = transB ? [b.shape[1], b.shape[0]] : b.shape;
      requireEqual(k, k2, a, b);
      const shape = [m as Dim, n as Dim];
      const c = context.inputs[2];
      if (c !== undefined) broadcastShapes(c.shape, shape);
      return [{ dtype: a.dtype, shape }];
    },
    // Y = α·A′B′ + β·C: Ā′ = α·Ȳ·B′ᵀ and B̄′ = α·A′ᵀ·Ȳ, each written so that the flags do the transposing.
    gradient: ({ node, inputs, gradients: [dy], wanted }) => {
      const [a, b, c] = inputs as [Value, Value, Value | undefined];
      if (dy === undefined) return [];
      const { transA, transB, alpha, beta } = flagsOf(node);
      const da = () =>
        transA
          ? gemm(b, dy, undefined, { transA: transB, transB: true, alpha })
          : gemm(dy, b, undefined, { transB: !transB, alpha });
      const db = () =>
        transB
          ? gemm(dy, a, undefined, { transA: true, transB: transA, alpha })
          : gemm(a, dy, undefined, { transA: !transA, alpha });
      const dc = () => mul(sumTo(dy, (c as Value).shape), beta);
      return [wanted[0] ? da() : undefined, wanted[1] ? db() : undefined, wanted[2] ? dc() : undefined];
    },
  },
  {
    type: "Softmax",
    infer: (context) => [{ dtype: inputOf(context, 0).dtype, shape: inputOf(context, 0).shape }],
    // x̄ = y ∘ (ȳ − Σ ȳ∘y)
    gradient: ({ node, outputs, gradients: [dy] }) => {
      const [y] = outputs as [Value];
      return [dy && mul(y, sub(dy, reduceSum(mul(dy, y), { axes: [axisOf(node, y)], keepDims: true })))];
    },
  },
  {
    type: "LogSoftmax",
    infer: (context) => [{ dtype: inputOf(context, 0).dtype, shape: inputOf(context, 0).shape }],
    // x̄ = ȳ − eʸ·Σ ȳ
    gradient: ({ node, outputs, gradients: [dy] }) => {
      const [y] = outputs as [Value];
      return [dy && sub(dy, mul(exp(y), reduceSum(dy, { axes: [axisOf(node, y)], keepDims: true })))];
    },
  },
];

function flagsOf(node: Pick<GraphNode, "attributes">) {
  return {
    transA: numberAttribute(node.attributes, "transA", 0) !== 0,
    transB: numberAttribute(node.attributes, "transB", 0) !== 0,
    alpha: numberAttribute(node.attributes, "alpha", 1),
    beta: numberAttribute(node.attributes, "beta", 1),
  };
}

function axisOf(node: GraphNode, y: Value): number {
  return normalizeAxis(numberAttribute(node.attributes, "axis", -1), y.shape.length);
}

function requireEqual(k: Dim | undefined, k2: Dim | undefined, a: Value, b: Value): void {
  if (k === k2 || typeof k === "string" || typeof k2 === "string") return;
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected matrices with equal inner sizes, got ${formatShape(a.shape)} and ${formatShape(b.shape)}.`,
  );
}
