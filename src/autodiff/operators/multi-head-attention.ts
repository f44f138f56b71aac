import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import { add, cast, matmul, mul, split, sub, unsqueeze } from "../../onnx/functions/index.ts";
import type { InferContext, Operator, Value } from "../../onnx/ir.ts";
import { composite } from "./composite.ts";
import { knownSize } from "./known.ts";
import { inputOf } from "./rule.ts";
import { attended, mergeHeads, splitHeads } from "./scaled-dot-product.ts";

/** What ONNX Runtime adds to the scores of padding where the node names nothing else. */
const PADDING_SCORE = -10_000;

const LIMITS =
  "Without a past. Padding as a mask [batch, keys]; queries, keys and values as [batch, positions, heads·size].";

/** Attention under the names ONNX Runtime's transformer optimiser writes: after the projections, or with them. */
export const multiHeadAttentionOperators: readonly Operator[] = [
  composite(
    "com.microsoft:MultiHeadAttention",
    (context) => {
      requireAbsent(context, [6, 7, 8, 9]);
      const parts = [0, 1, 2].map((index) => inputOf(context, index));
      const bias = context.inputs[3];
      if (bias === undefined) return [fromParts(context, parts, { padding: 4, bias: 5 })];
      const biases = split(
        bias,
        parts.map((part) => knownSize(part, 2)),
        0,
      );
      const biased = parts.map((part, index) => add(part, biases[index] as Value));
      return [fromParts(context, biased, { padding: 4, bias: 5 })];
    },
    { limits: LIMITS },
  ),
  composite(
    "com.microsoft:Attention",
    (context) => {
      requireAbsent(context, [4, 6]);
      const [x, weight, bias] = [inputOf(context, 0), inputOf(context, 1), context.inputs[2]];
      const sizes = context.attributes.qkv_hidden_sizes;
      const width = knownSize(weight, 1) / 3;
      const projected = matmul(x, weight);
      const parts = split(
        bias === undefined ? projected : add(projected, bias),
        sizes?.type === "ints" ? sizes.value : [width, width, width],
        2,
      );
      return [fromParts(context, parts, { padding: 3, bias: 5 })];
    },
    { limits: LIMITS },
  ),
];

/** From queries, keys and values [batch, positions, heads·size], by the settings both operators share. */
function fromParts(
  context: InferContext,
  parts: readonly Value[],
  at: { readonly padding: number; readonly bias: number },
): Value {
  const { attributes, inputs } = context;
  const heads = numberAttribute(attributes, "num_heads", 1);
  const [q, k, v] = parts.map((part) => splitHeads(part, heads)) as [Value, Value, Value];
  const padding = inputs[at.padding];
  if (padding !== undefined && padding.shape.length !== 2) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected padding of ${context.type} as a mask [batch, keys], got rank ${padding.shape.length}.`,
    );
  }
  const hidden = numberAttribute(attributes, "mask_filter_value", PADDING_SCORE);
  const terms = [padding && mul(sub(1, unsqueeze(cast(padding, q.dtype), [1, 2])), hidden), inputs[at.bias]];
  const given = terms.filter((term) => term !== undefined);
  const { y } = attended(q, k, v, {
    scale: attributes.scale && numberAttribute(attributes, "scale", 1),
    bias: given.length === 0 ? undefined : given.reduce(add),
    window: numberAttribute(attributes, "unidirectional", 0) === 0 ? undefined : { offset: 0, right: 0 },
  });
  return mergeHeads(y);
}

function requireAbsent(context: InferContext, past: readonly number[]): void {
  const isCached = past.some((index) => context.inputs[index] !== undefined) || context.outputCount > 1;
  if (!isCached && numberAttribute(context.attributes, "do_rotary", 0) === 0) return;
  throw new LetheError(
    "data",
    "DATA_ATTRIBUTE",
    `Expected ${context.type} without a past and without rotation inside. Export the model without a cache.`,
  );
}
