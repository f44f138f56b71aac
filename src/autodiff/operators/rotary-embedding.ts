import { numberAttribute } from "../../onnx/attributes.ts";
import { add, concat, gather, mul, slice, split, sub, unsqueeze } from "../../onnx/functions/index.ts";
import type { InferContext, Operator, Value } from "../../onnx/ir.ts";
import { composite } from "./composite.ts";
import { knownSize } from "./known.ts";
import { inputOf } from "./rule.ts";
import { mergeHeads, splitHeads } from "./scaled-dot-product.ts";

/**
 * Rotary position embedding (Su et al. 2021, arXiv:2104.09864): pairs of a head's elements turned by the angle whose cosine and
 * sine a table has for their position. Pairs are halves apart, or neighbours where `interleaved`.
 */
export const rotaryEmbeddingOperators: readonly Operator[] = [
  composite("RotaryEmbedding", (context) => [rotary(context, { positions: 3, cosine: 1 })], { since: 23 }),
  composite("com.microsoft:RotaryEmbedding", (context) => [rotary(context, { positions: 1, cosine: 2 })], {
    limits: "Positions as [batch, positions].",
  }),
];

function rotary(context: InferContext, at: { readonly positions: number; readonly cosine: number }): Value {
  const x = inputOf(context, 0);
  const tables = [inputOf(context, at.cosine), inputOf(context, at.cosine + 1)];
  const positions = context.inputs[at.positions];
  // [batch, positions, half] → [batch, 1, positions, half]: the same for all heads.
  const [cosine, sine] = tables.map((table) =>
    unsqueeze(positions === undefined ? table : gather(table, positions), [1]),
  ) as [Value, Value];
  const width = 2 * knownSize(cosine, 3);
  const isMerged = x.shape.length === 3;
  const heads =
    numberAttribute(context.attributes, "num_heads", 0) || (isMerged ? knownSize(x, 2) / width : 1);
  const perHead = isMerged ? splitHeads(x, heads) : x;
  const rest = knownSize(perHead, 3) - width;
  const [turning, still] = rest === 0 ? [perHead] : (split(perHead, [width, rest], 3) as [Value, Value]);
  const isInterleaved = numberAttribute(context.attributes, "interleaved", 0) !== 0;
  const turned = turn(turning, { cosine, sine, isInterleaved });
  const y = still === undefined ? turned : concat([turned, still], 3);
  return isMerged ? mergeHeads(y) : y;
}

function turn(
  x: Value,
  {
    cosine,
    sine,
    isInterleaved,
  }: { readonly cosine: Value; readonly sine: Value; readonly isInterleaved: boolean },
): Value {
  const width = knownSize(x, 3);
  const [a, b] = isInterleaved
    ? [0, 1].map((start) => slice(x, [{ axis: 3, start, end: width, step: 2 }]))
    : split(x, [width / 2, width / 2], 3);
  const [left, right] = [a as Value, b as Value];
  const real = sub(mul(left, cosine), mul(right, sine));
  const imaginary = add(mul(left, sine), mul(right, cosine));
  if (!isInterleaved) return concat([real, imaginary], 3);
  const pairs = concat([unsqueeze(real, [4]), unsqueeze(imaginary, [4])], 4);
  return x.graph.apply("Reshape", [pairs, x.graph.integers([0, 0, 0, width])]);
}
