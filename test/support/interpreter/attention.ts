import { intsAttribute, numberAttribute } from "../../../src/onnx/attributes.ts";
import { type Application, type Evaluators, inputAt } from "./evaluator.ts";
import { at, broadcastAt, type NdArray, tabulate } from "./nd-array.ts";

/** Attention and rotation by position, query by query. */
export const attentionEvaluators: Evaluators = {
  Attention: (application) => {
    const { attributes, inputs } = application;
    const setting = (name: string, fallback = 0): number => numberAttribute(attributes, name, fallback);
    const isMerged = inputAt(application, 0).shape.length === 3;
    const part = (index: number, heads: string): NdArray =>
      isMerged ? perHead(inputAt(application, index), setting(heads)) : inputAt(application, index);
    const past = inputs[4]?.shape[2] ?? 0;
    const [q, k, v] = [
      part(0, "q_num_heads"),
      joined(inputs[4], part(1, "kv_num_heads")),
      joined(inputs[5], part(2, "kv_num_heads")),
    ];
    const mask = inputs[3];
    // Truth is held as 0 and 1 here; in the cases a mask of truth is the one for each sample.
    const isTruth = mask?.shape.length === 4;
    const isSeen: Seen = (index) => {
      const [, , i, j] = index as [number, number, number, number];
      const distance = j - i - past;
      const isInside =
        (setting("is_causal") === 0 || distance <= 0) &&
        (setting("right_window_size", -1) < 0 || distance <= setting("right_window_size")) &&
        (setting("left_window_size", -1) < 0 || -distance <= setting("left_window_size"));
      const isLong = mask === undefined || mask.shape.at(-1) === 1 || j < (mask.shape.at(-1) as number);
      return isInside && isLong && (mask === undefined || !isTruth || broadcastAt(mask, index) !== 0);
    };
    const cap = setting("softcap");
    const { y, products, weights } = attend(q, k, v, {
      scale: setting("scale", 1 / Math.sqrt(q.shape[3] as number)),
      change: (score) => (cap === 0 ? score : cap * Math.tanh(score / cap)),
      bias: (index) => (mask === undefined || isTruth || !isSeen(index) ? 0 : broadcastAt(mask, index)),
      isSeen,
    });
    const scores = setting("qk_matmul_output_mode") === 3 ? weights : products;
    return [isMerged ? merged(y) : y, k, v, scores].slice(0, application.outputCount);
  },
  "com.microsoft:MultiHeadAttention": (application) => {
    const bias = application.inputs[3];
    let start = 0;
    const parts = [0, 1, 2].map((index) => {
      const x = inputAt(application, index);
      const offset = start;
      start += x.shape[2] as number;
      return tabulate(x.shape, (i) => at(x, i) + (bias ? at(bias, [offset + (i[2] as number)]) : 0));
    });
    return [fused(application, parts, application.inputs[4], application.inputs[5])];
  },
  "com.microsoft:Attention": (application) => {
    const [x, weight, bias] = [inputAt(application, 0), inputAt(application, 1), application.inputs[2]];
    const third = (weight.shape[1] as number) / 3;
    const sizes = intsAttribute(application.attributes, "qkv_hidden_sizes", [third, third, third]);
    const parts = sizes.map((size, index) => {
      const offset = sizes.slice(0, index).reduce((sum, width) => sum + width, 0);
      return tabulate([...x.shape.slice(0, 2), size], ([b, t, c]) => {
        const column = offset + (c as number);
        const sum = Array.from({ length: weight.shape[0] as number }, (_, row) => row).reduce(
          (total, row) => total + at(x, [b as number, t as number, row]) * at(weight, [row, column]),
          0,
        );
        return sum + (bias ? at(bias, [column]) : 0);
      });
    });
    return [fused(application, parts, application.inputs[3], application.inputs[5])];
  },
  RotaryEmbedding: (application) => [rotary(application, application.inputs[3], 1)],
  "com.microsoft:RotaryEmbedding": (application) => [rotary(application, application.inputs[1], 2)],
};

type Seen = (index: readonly number[]) => boolean;

interface Terms {
  readonly scale: number;
  readonly change: (score: number) => number;
  readonly bias: (index: readonly number[]) => number;
  readonly isSeen: Seen;
}

function attend(
  q: NdArray,
  k: NdArray,
  v: NdArray,
  terms: Terms,
): Record<"y" | "products" | "weights", NdArray> {
  const [batch, heads, queries, size] = q.shape as [number, number, number, number];
  const keys = k.shape[2] as number;
  const shared = (head: number): number => Math.floor(head / (heads / (k.shape[1] as number)));
  const products = tabulate([batch, heads, queries, keys], ([b, h, i, j]) => {
    let sum = 0;
    for (let c = 0; c < size; c++) {
      sum +=
        at(q, [b as number, h as number, i as number, c]) *
        at(k, [b as number, shared(h as number), j as number, c]);
    }
    return sum * terms.scale;
  });
  const scores = tabulate(products.shape, (index) =>
    terms.isSeen(index) ? terms.change(at(products, index)) + terms.bias(index) : Number.NEGATIVE_INFINITY,
  );
  const keysOf = ([b, h, i]: readonly number[]): number[] =>
    Array.from({ length: keys }, (_, j) => at(scores, [b as number, h as number, i as number, j]));
  const weights = tabulate(products.shape, (index) => {
    const row = keysOf(index);
    const most = Math.max(...row);
    if (most === Number.NEGATIVE_INFINITY) return 0;
    const total = row.reduce((sum, score) => sum + Math.exp(score - most), 0);
    return Math.exp(at(scores, index) - most) / total;
  });
  const y = tabulate([batch, heads, queries, v.shape[3] as number], ([b, h, i, c]) =>
    Array.from({ length: keys }, (_, j) => j).reduce(
      (sum, j) =>
        sum +
        at(weights, [b as number, h as number, i as number, j]) *
          at(v, [b as number, shared(h as number), j, c as number]),
      0,
    ),
  );
  return { y, products, weights };
}

function fused(
  { attributes }: Application,
  parts: readonly NdArray[],
  padding: NdArray | undefined,
  bias: NdArray | undefined,
): NdArray {
  const heads = numberAttribute(attributes, "num_heads", 1);
  const [q, k, v] = parts.map((x) => perHead(x, heads)) as [NdArray, NdArray, NdArray];
  const hidden = numberAttribute(attributes, "mask_filter_value", -10_000);
  const { y } = attend(q, k, v, {
    scale: numberAttribute(attributes, "scale", 1 / Math.sqrt(q.shape[3] as number)),
    change: (score) => score,
    bias: (index) => {
      const [b, , , j] = index as [number, number, number, number];
      return (padding && at(padding, [b, j]) === 0 ? hidden : 0) + (bias ? broadcastAt(bias, index) : 0);
    },
    isSeen: ([, , i, j]) =>
      numberAttribute(attributes, "unidirectional", 0) === 0 || (j as number) <= (i as number),
  });
  return merged(y);
}

function rotary(application: Application, positions: NdArray | undefined, cosine: number): NdArray {
  const x = inputAt(application, 0);
  const setting = (name: string): number => numberAttribute(application.attributes, name, 0);
  const tables = [inputAt(application, cosine), inputAt(application, cosine + 1)] as const;
  const half = tables[0].shape.at(-1) as number;
  const isMerged = x.shape.length === 3;
  const heads = setting("num_heads") || (isMerged ? (x.shape[2] as number) / (2 * half) : 1);
  const whole = isMerged ? perHead(x, heads) : x;
  const y = tabulate(whole.shape, ([b, h, t, c]) => {
    const [batch, head, time, place] = [b, h, t, c] as [number, number, number, number];
    if (place >= 2 * half) return at(whole, [batch, head, time, place]);
    const isNeighbour = setting("interleaved") !== 0;
    const pair = isNeighbour ? Math.floor(place / 2) : place % half;
    const [first, second] = isNeighbour ? [2 * pair, 2 * pair + 1] : [pair, pair + half];
    const [cos, sin] = tables.map((table) =>
      positions === undefined
        ? at(table, [batch, time, pair])
        : at(table, [at(positions, [batch, time]), pair]),
    ) as [number, number];
    const [a, z] = [first, second].map((at_) => at(whole, [batch, head, time, at_])) as [number, number];
    return place === first ? a * cos - z * sin : a * sin + z * cos;
  });
  return isMerged ? merged(y) : y;
}

function perHead(x: NdArray, heads: number): NdArray {
  const [batch, positions, width] = x.shape as [number, number, number];
  const size = width / heads;
  return tabulate([batch, heads, positions, size], ([b, h, t, c]) =>
    at(x, [b as number, t as number, (h as number) * size + (c as number)]),
  );
}

function merged(x: NdArray): NdArray {
  const [batch, heads, positions, size] = x.shape as [number, number, number, number];
  return tabulate([batch, positions, heads * size], ([b, t, c]) =>
    at(x, [b as number, Math.floor((c as number) / size), t as number, (c as number) % size]),
  );
}

function joined(past: NdArray | undefined, own: NdArray): NdArray {
  if (past === undefined) return own;
  const before = past.shape[2] as number;
  const [batch, heads, positions, size] = own.shape as [number, number, number, number];
  return tabulate([batch, heads, before + positions, size], ([b, h, t, c]) => {
    const [place, rest] = [t as number, [b as number, h as number] as const];
    return place < before
      ? at(past, [...rest, place, c as number])
      : at(own, [...rest, place - before, c as number]);
  });
}
