import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import {
  gemm,
  matmul,
  mul,
  reshape,
  squeeze,
  sumTo,
  transposeLast,
  unsqueeze,
} from "../../onnx/functions/index.ts";
import type { GraphNode, Operator, Value } from "../../onnx/ir.ts";
import { broadcastShapes, type Dim, formatShape } from "../../onnx/shape.ts";
import { composite } from "./composite.ts";
import { inputOf, requireSameType } from "./rule.ts";

/** Matrix products. */
export const matmulOperators: readonly Operator[] = [
  {
    type: "MatMul",
    infer: (context) => {
      const [a, b] = [inputOf(context, 0), inputOf(context, 1)];
      requireSameType(a, b);
      const rows = a.shape.length === 1 ? [] : [a.shape.at(-2) as Dim];
      const columns = b.shape.length === 1 ? [] : [b.shape.at(-1) as Dim];
      requireEqual(a.shape.at(-1), b.shape.length === 1 ? b.shape[0] : b.shape.at(-2), a, b);
      const lead = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
      return [{ dtype: a.dtype, shape: [...lead, ...rows, ...columns] }];
    },
    // Ā = Ȳ·Bᵀ and B̄ = Aᵀ·Ȳ. A vector is a matrix with one row (on the left) or one column (on the right).
    gradient: ({ inputs, gradients: [dy], wanted }) => {
      const [a, b] = inputs as [Value, Value];
      if (dy === undefined) return [];
      const left = a.shape.length === 1 ? unsqueeze(a, [0]) : a;
      const right = b.shape.length === 1 ? unsqueeze(b, [1]) : b;
      const columned = b.shape.length === 1 ? unsqueeze(dy, [dy.shape.length]) : dy;
      const full = a.shape.length === 1 ? unsqueeze(columned, [columned.shape.length - 1]) : columned;
      const da = () => sumTo(matmul(full, transposeLast(right)), left.shape);
      const db = () => rightGradient(left, right, full);
      return [
        wanted[0] ? (a === left ? da() : squeeze(da(), [0])) : undefined,
        wanted[1] ? (b === right ? db() : squeeze(db(), [1])) : undefined,
      ];
    },
  },
  // α·A′B′, as ONNX Runtime's own graphs have it.
  composite("com.microsoft:FusedMatMul", (context) => {
    const { transA, transB, alpha } = flagsOf(context);
    const [a, b] = [inputOf(context, 0), inputOf(context, 1)];
    if (
      numberAttribute(context.attributes, "transBatchA", 0) ||
      numberAttribute(context.attributes, "transBatchB", 0)
    ) {
      throw new LetheError(
        "data",
        "DATA_ATTRIBUTE",
        "Expected FusedMatMul without transBatchA and transBatchB. Export the model without ONNX Runtime's optimisation.",
      );
    }
    return [mul(matmul(transA ? transposeLast(a) : a, transB ? transposeLast(b) : b), alpha)];
  }),
  {
    type: "Gemm",
    infer: (context) => {
      const [a, b] = [inputOf(context, 0), inputOf(context, 1)];
      requireSameType(a, b);
      if (a.shape.length !== 2 || b.shape.length !== 2) throw misfit(a, b);
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
];

/** Aᵀ·Ȳ summed over broadcast leading axes; a single matrix on the right takes one product over all rows at once. */
function rightGradient(a: Value, b: Value, dy: Value): Value {
  const [inner, columns] = b.shape;
  if (
    b.shape.length > 2 ||
    a.shape.length === 2 ||
    typeof inner !== "number" ||
    typeof columns !== "number"
  ) {
    return sumTo(matmul(transposeLast(a), dy), b.shape);
  }
  return matmul(transposeLast(reshape(a, [-1, inner])), reshape(dy, [-1, columns]));
}

function flagsOf(node: Pick<GraphNode, "attributes">) {
  return {
    transA: numberAttribute(node.attributes, "transA", 0) !== 0,
    transB: numberAttribute(node.attributes, "transB", 0) !== 0,
    alpha: numberAttribute(node.attributes, "alpha", 1),
    beta: numberAttribute(node.attributes, "beta", 1),
  };
}

function requireEqual(k: Dim | undefined, k2: Dim | undefined, a: Value, b: Value): void {
  if (k === undefined || k2 === undefined) throw misfit(a, b);
  if (k !== k2 && typeof k === "number" && typeof k2 === "number") throw misfit(a, b);
}

function misfit(a: Value, b: Value): LetheError {
  return new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected matrices with equal inner sizes, got ${formatShape(a.shape)} and ${formatShape(b.shape)}.`,
  );
}
