import {
  add,
  matmul,
  mul,
  reshape,
  softmax,
  split,
  transpose,
  transposeLast,
} from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import type { Dim } from "../../onnx/shape.ts";
import { type DenseOptions, dense } from "./dense.ts";
import type { Module } from "./module.ts";
import { rotated } from "./rotary.ts";

/** How positions look at each other. */
export interface AttentionOptions {
  /** Size of a position's vector. */
  readonly width: number;
  readonly heads: number;
  /** Heads of keys and values, each shared by heads/keyHeads neighbouring query heads; as many as `heads` when left out. */
  readonly keyHeads?: number;
  readonly positions: number;
  /** Whether a position sees itself and those before it only. */
  readonly causal: boolean;
  /** Whether queries and keys are turned by their position. */
  readonly rotary: boolean;
  readonly bias: boolean;
  readonly initial: NonNullable<DenseOptions["initial"]>;
  /** How the last map starts, whose result is added to the residual stream. */
  readonly residualInitial: NonNullable<DenseOptions["initial"]>;
}

/** What is added to a score that must not count: e^−10⁹ is zero, and unlike −∞ it makes no NaN. */
const EXCLUDED = -1e9;

/**
 * Scaled dot-product attention of [batch, positions, width]: softmax(QKᵀ/√d)·V per head, then a linear map. Queries, keys and
 * values come from one product, weight `NAME.qkv.weight` [width, (heads + 2·keyHeads)·d].
 *
 * Sources: Vaswani et al. (2017), arXiv 1706.03762, section 3.2; shared keys: Ainslie et al. (2023), arXiv 2305.13245.
 */
export function attention(name: string, options: AttentionOptions): Module {
  const { width, heads, keyHeads = heads, positions, causal, rotary, bias } = options;
  const size = width / heads;
  const project = dense(`${name}.qkv`, {
    inputs: width,
    outputs: (heads + 2 * keyHeads) * size,
    bias,
    initial: options.initial,
  });
  const output = dense(`${name}.output`, {
    inputs: width,
    outputs: width,
    bias,
    initial: options.residualInitial,
  });
  const sharing = heads / keyHeads;
  return {
    weights: [...project.weights, ...output.weights],
    apply: (x, pass) => {
      const [batch] = x.shape as readonly [Dim];
      /** [batch, positions, count·d] → [batch, groups, shared, positions, d], or without `shared` where every head has its own. */
      const perHead = (part: Value, shared: number): Value =>
        sharing === 1
          ? transpose(reshape(part, [batch, positions, heads, size]), [0, 2, 1, 3])
          : transpose(reshape(part, [batch, positions, keyHeads, shared, size]), [0, 2, 3, 1, 4]);
      const parts = split(project.apply(x, pass), [heads * size, keyHeads * size, keyHeads * size], -1);
      const [q, k, v] = parts.map((part, index) => perHead(part, index === 0 ? sharing : 1)) as [
        Value,
        Value,
        Value,
      ];
      const [query, key] = rotary ? [rotated(q, positions, size), rotated(k, positions, size)] : [q, k];
      const scores = matmul(mul(query, 1 / Math.sqrt(size)), transposeLast(key)); // […, positions, positions]
      const weights = softmax(causal ? add(scores, causalMask(x, positions)) : scores);
      const seen = matmul(weights, v);
      const merged = transpose(seen, sharing === 1 ? [0, 2, 1, 3] : [0, 3, 1, 2, 4]);
      return output.apply(reshape(merged, [batch, positions, width]), pass);
    },
  };
}

/** 0 on and below the diagonal, {@link EXCLUDED} above. */
function causalMask({ graph }: Value, positions: number): Value {
  const data = Float32Array.from({ length: positions * positions }, (_, at) =>
    at % positions > Math.floor(at / positions) ? EXCLUDED : 0,
  );
  return graph.constant({ dtype: "float32", shape: [positions, positions], data }, "causal_mask");
}
