import fc from "fast-check";
import { float, int, ints } from "../../../src/onnx/attributes.ts";
import { cast, greater } from "../../../src/onnx/functions/index.ts";
import type { Value } from "../../../src/onnx/ir.ts";
import { below, type CaseTable, type InputSpec, type OperatorCase, real } from "../operator-case.ts";

const few = fc.integer({ min: 1, max: 3 });
const flags = <const Name extends string>(...names: Name[]): fc.Arbitrary<Readonly<Record<Name, boolean>>> =>
  fc
    .array(fc.boolean(), { minLength: names.length, maxLength: names.length })
    .map(
      (values) =>
        Object.fromEntries(names.map((name, index) => [name, values[index]])) as Record<Name, boolean>,
    );

/** Attention and rotation by position. */
export const attentionCases: CaseTable = {
  Attention: fc
    .tuple(
      fc.tuple(few, few, few, few),
      flags("isMerged", "isCausal", "hasPast", "isCapped", "isScaled", "hasWindow", "isShort"),
      fc.constantFrom("none", "real", "truth"),
      fc.constantFrom([1], [1], [3], [4, 0], [4, 3]),
    )
    .map(([[keyHeads, shared, queries, fresh], is, mask, [outputCount = 1, mode = 0]]): OperatorCase => {
      const [heads, past, size, width] = [keyHeads * shared, is.hasPast ? 2 : 0, 2, 3];
      const keys = fresh + past;
      const part = (count: number, positions: number, each: number): InputSpec =>
        real(is.isMerged ? [2, positions, count * each] : [2, count, positions, each], undefined, true);
      const known = is.isShort && keys > 1 ? keys - 1 : keys;
      const masks = { none: [], real: [real([heads, queries, known])], truth: [truth([2, 1, 1, known])] };
      return {
        inputs: [
          part(heads, queries, size),
          part(keyHeads, fresh, size),
          part(keyHeads, fresh, width),
          ...masks[mask as keyof typeof masks],
          ...(is.hasPast
            ? [
                real([2, keyHeads, past, size], undefined, true),
                real([2, keyHeads, past, width], undefined, true),
              ]
            : []),
        ],
        build: (q, k, v, ...rest) => {
          const given = mask === "none" ? undefined : (rest[0] as Value);
          const before = mask === "none" ? rest : rest.slice(1);
          return q.graph.emit(
            "Attention",
            [q, k, v, mask === "truth" ? greater(given as Value, 0) : given, ...before],
            {
              ...(is.isMerged ? { q_num_heads: int(heads), kv_num_heads: int(keyHeads) } : {}),
              ...(is.isCausal ? { is_causal: int(1) } : {}),
              ...(is.isCapped ? { softcap: float(1.5) } : {}),
              ...(is.isScaled ? { scale: float(0.75) } : {}),
              ...(is.hasWindow ? { left_window_size: int(1), right_window_size: int(1) } : {}),
              qk_matmul_output_mode: int(mode),
            },
            { outputCount },
          );
        },
      };
    }),
  "com.microsoft:MultiHeadAttention": fc
    .tuple(few, few, few, flags("isBiased", "isPadded", "isRaised", "isCausal"))
    .map(([heads, queries, keys, is]): OperatorCase => {
      const widths = [2 * heads, 2 * heads, 3 * heads];
      const total = 7 * heads;
      return {
        inputs: [
          ...widths.map((width, index) => real([2, index === 0 ? queries : keys, width], undefined, true)),
          ...(is.isBiased ? [real([total])] : []),
          ...(is.isPadded ? [padding(keys)] : []),
          ...(is.isRaised ? [real([1, heads, queries, keys])] : []),
        ],
        build: (q, k, v, ...rest) => {
          const next = (isGiven: boolean): Value | undefined => (isGiven ? rest.shift() : undefined);
          const inputs = [q, k, v, next(is.isBiased), whole(next(is.isPadded)), next(is.isRaised)];
          return q.graph.apply(
            "MultiHeadAttention",
            inputs,
            { num_heads: int(heads), unidirectional: int(Number(is.isCausal)) },
            "com.microsoft",
          );
        },
      };
    }),
  "com.microsoft:Attention": fc
    .tuple(few, few, flags("isBiased", "isPadded", "isCausal", "isUneven"))
    .map(([heads, positions, is]): OperatorCase => {
      const sizes = [2 * heads, 2 * heads, (is.isUneven ? 3 : 2) * heads];
      const total = sizes.reduce((sum, size) => sum + size, 0);
      return {
        inputs: [
          real([2, positions, 3], undefined, true),
          real([3, total]),
          ...(is.isBiased ? [real([total])] : []),
          ...(is.isPadded ? [padding(positions)] : []),
        ],
        build: (x, weight, ...rest) => {
          const inputs = [
            x,
            weight,
            is.isBiased ? rest.shift() : undefined,
            whole(is.isPadded ? rest.shift() : undefined),
          ];
          return x.graph.apply(
            "Attention",
            inputs,
            {
              num_heads: int(heads),
              unidirectional: int(Number(is.isCausal)),
              ...(is.isUneven ? { qkv_hidden_sizes: ints(sizes) } : {}),
            },
            "com.microsoft",
          );
        },
      };
    }),
  RotaryEmbedding: rotary("", 3),
  "com.microsoft:RotaryEmbedding": rotary("com.microsoft", 1),
};

/** x, tables of cosines and sines (any numbers do) and, in front of or behind the tables, positions. */
function rotary(domain: string, at: number): fc.Arbitrary<OperatorCase> {
  return fc
    .tuple(few, few, few, flags("isMerged", "isInterleaved", "isPartial", "isPlaced"))
    .map(([heads, positions, half, is]): OperatorCase => {
      const size = 2 * half + (is.isPartial ? 1 : 0);
      const isPlaced = is.isPlaced || domain !== "";
      const table = isPlaced ? real([4, half]) : real([2, positions, half], undefined, true);
      return {
        inputs: [
          real(is.isMerged ? [2, positions, heads * size] : [2, heads, positions, size], undefined, true),
          table,
          table,
          ...(isPlaced
            ? [{ shape: [2, positions], dtype: "int64", isBatch: true, sample: below(4) } as const]
            : []),
        ],
        build: (x, cosine, sine, places) =>
          x.graph.apply(
            "RotaryEmbedding",
            at === 1 ? [x, places, cosine as Value, sine] : [x, cosine as Value, sine, places],
            {
              interleaved: int(Number(is.isInterleaved)),
              rotary_embedding_dim: int(is.isPartial ? 2 * half : 0),
              ...(is.isMerged || domain !== "" ? { num_heads: int(heads) } : {}),
            },
            domain,
          ),
      };
    });
}

/** 0 or 1, the first axis the batch. */
function truth(shape: readonly number[]): InputSpec {
  return { shape, dtype: "int64", isBatch: true, sample: below(2) };
}

/** 0 or 1, in every row once 1: of padding alone the added number takes what single precision could tell apart. */
function padding(keys: number): InputSpec {
  const sample: InputSpec["sample"] = (random, count) =>
    Array.from({ length: count }, (_, at) => (at % keys === 0 ? 1 : random.below(2)));
  return { ...truth([2, keys]), sample };
}

/** As the engine's operators want it. */
function whole(mask: Value | undefined): Value | undefined {
  return mask && cast(mask, "int32");
}
