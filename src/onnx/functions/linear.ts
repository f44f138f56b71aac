import { float, int } from "../attributes.ts";
import type { Value } from "../ir.ts";
import { transpose } from "./structure.ts";

/** Matrix product over the last two axes, the leading ones broadcast. */
export const matmul = (a: Value, b: Value): Value => a.graph.apply("MatMul", [a, b]);

/** The last two axes exchanged. ONNX Runtime folds it into a following `MatMul`. */
export const transposeLast = (x: Value): Value => {
  const order = x.shape.map((_, axis) => axis);
  const last = order.length - 1;
  return transpose(x, [...order.slice(0, -2), last, last - 1]);
};

/** Options of {@link gemm}. */
export interface GemmOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly alpha?: number;
  readonly beta?: number;
}

/** α·A′B′ + β·C for matrices, A′ and B′ optionally transposed; C broadcasts. */
export const gemm = (a: Value, b: Value, c?: Value, options: GemmOptions = {}): Value => {
  const { transA = false, transB = false, alpha = 1, beta = 1 } = options;
  return a.graph.apply("Gemm", c === undefined ? [a, b] : [a, b, c], {
    ...(transA ? { transA: int(1) } : {}),
    ...(transB ? { transB: int(1) } : {}),
    ...(alpha === 1 ? {} : { alpha: float(alpha) }),
    ...(beta === 1 ? {} : { beta: float(beta) }),
  });
};

/** Softmax along an axis. */
export const softmax = (x: Value, axis = -1): Value => x.graph.apply("Softmax", [x], { axis: int(axis) });

/** The logarithm of softmax along an axis, without overflow. */
export const logSoftmax = (x: Value, axis = -1): Value =>
  x.graph.apply("LogSoftmax", [x], { axis: int(axis) });
