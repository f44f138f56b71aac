import { int } from "../../onnx/attributes.ts";
import {
  add,
  cast,
  concat,
  div,
  matmul,
  mul,
  onesLike,
  pad,
  softmax,
  sub,
  tanh,
  transpose,
  transposeLast,
  unsqueeze,
} from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import { tensorOfNumbers } from "../../onnx/tensor.ts";
import { knownSize } from "./known.ts";

/** What is added to a score that must not count: e^−10⁹ is zero, and unlike −∞ it makes no NaN. */
export const EXCLUDED = -1e9;

/** What changes the scores before the softmax. */
export interface ScoreTerms {
  /** 1/√d when left out. */
  readonly scale?: number | undefined;
  /** c of c·tanh(score/c); none when 0. */
  readonly softcap?: number;
  /** Added to the scores; its last axis may be shorter than theirs: what is missing does not count. */
  readonly bias?: Value | undefined;
  /** 1 where a query may see a key, else 0; broadcast to the scores. A query that may see none gets zeros. */
  readonly allowed?: Value | undefined;
  /** The keys a query may see by their distance. */
  readonly window?: Window | undefined;
}

/** Query i may see key j if i + offset − left ≤ j ≤ i + offset + right; a bound left out does not bind. */
export interface Window {
  readonly offset: number;
  readonly left?: number | undefined;
  readonly right?: number | undefined;
}

/** What attention computes, every step of it. */
export interface Attended {
  /** [batch, heads, queries, size of v] */
  readonly y: Value;
  /** The scores as products, capped, and with what is added to them: [batch, heads, queries, keys]. */
  readonly products: Value;
  readonly capped: Value;
  readonly biased: Value;
  /** Their softmax. */
  readonly weights: Value;
}

/**
 * softmax(cap(s·QKᵀ) + bias)·V for every head.
 *
 * @param q - [batch, heads, queries, d]
 * @param k - [batch, key heads, keys, d], each shared by heads/(key heads) neighbouring heads
 * @param v - [batch, key heads, keys, size]
 * @throws LETHE_DATA_SHAPE when the number of heads or d has only a name
 * Sources: Vaswani et al. (2017), arXiv 1706.03762, section 3.2; shared keys: Ainslie et al. (2023), arXiv 2305.13245.
 */
export function attended(q: Value, k: Value, v: Value, terms: ScoreTerms): Attended {
  const { scale = 1 / Math.sqrt(knownSize(q, 3)), softcap = 0 } = terms;
  const heads = knownSize(q, 1);
  const products = matmul(mul(q, scale), transposeLast(repeatedHeads(k, heads)));
  const capped = softcap === 0 ? products : mul(tanh(div(products, softcap)), softcap);
  const inside = terms.window === undefined ? undefined : insideWindow(products, terms.window);
  const given =
    terms.allowed === undefined ? missingKeys(terms.bias, k) : padded(cast(terms.allowed, q.dtype), k);
  const masks = [given, inside].filter((mask) => mask !== undefined);
  const allowed = masks.length === 0 ? undefined : masks.reduce(mul);
  const bias = terms.bias && padded(terms.bias, k);
  const added = [bias, allowed && mul(sub(1, allowed), EXCLUDED)].filter((term) => term !== undefined);
  const biased = added.reduce(add, capped);
  const seen = softmax(biased);
  // Without a mask and a bound to the left every query sees the first key.
  const isSafe = given === undefined && terms.window?.left === undefined;
  const weights = isSafe || allowed === undefined ? seen : mul(seen, allowed);
  return { y: matmul(weights, repeatedHeads(v, heads)), products, capped, biased, weights };
}

/** [batch, positions, heads·d] → [batch, heads, positions, d] */
export function splitHeads(x: Value, heads: number): Value {
  const shape = x.graph.integers([0, 0, heads, knownSize(x, 2) / heads]);
  return transpose(x.graph.apply("Reshape", [x, shape]), [0, 2, 1, 3]);
}

/** [batch, heads, positions, d] → [batch, positions, heads·d] */
export function mergeHeads(x: Value): Value {
  const shape = x.graph.integers([0, 0, knownSize(x, 1) * knownSize(x, 3)]);
  return x.graph.apply("Reshape", [transpose(x, [0, 2, 1, 3]), shape]);
}

function repeatedHeads(x: Value, heads: number): Value {
  const own = knownSize(x, 1);
  if (own === heads) return x;
  const copies = concat(
    Array.from({ length: heads / own }, () => unsqueeze(x, [2])),
    2,
  );
  return x.graph.apply("Reshape", [copies, x.graph.integers([0, heads, -1, knownSize(x, 3)])]);
}

/** How many keys a mask has nothing for. */
function shortfall(mask: Value, keys: Value): number {
  const [have, want] = [mask.shape.at(-1), keys.shape[2]];
  return typeof have !== "number" || typeof want !== "number" || have === 1 ? 0 : want - have;
}

/** A mask as long as there are keys, with zeros where it had nothing. */
function padded(mask: Value, keys: Value): Value {
  const none = mask.shape.map(() => 0);
  return pad(mask, none, [...none.slice(1), shortfall(mask, keys)]);
}

/** 1 for the keys a shorter bias has something for, else 0; nothing to tell when it has for all. */
function missingKeys(bias: Value | undefined, keys: Value): Value | undefined {
  const short = bias === undefined ? 0 : shortfall(bias, keys);
  if (short === 0) return undefined;
  const count = knownSize(keys, 2);
  const has = Array.from({ length: count }, (_, key) => Number(key < count - short));
  return keys.graph.constant(tensorOfNumbers(keys.dtype, [count], has), "known_keys");
}

/** 1 inside the window, else 0: a constant where both sizes are known, else worked out in the graph. */
function insideWindow(scores: Value, { offset, left, right }: Window): Value {
  const { graph, dtype } = scores;
  const [queries, keys] = scores.shape.slice(-2);
  if (typeof queries === "number" && typeof keys === "number") {
    const inside = Array.from({ length: queries * keys }, (_, at) => {
      const distance = (at % keys) - Math.floor(at / keys) - offset;
      return Number(distance <= (right ?? keys) && -distance <= (left ?? queries + offset));
    });
    return graph.constant(tensorOfNumbers(dtype, [queries, keys], inside), "window");
  }
  const triangle = (x: Value, upper: boolean, diagonal: number): Value =>
    graph.apply("Trilu", [x, graph.scalar(diagonal, "int64")], { upper: int(Number(upper)) });
  const bounded = right === undefined ? onesLike(scores) : triangle(onesLike(scores), false, offset + right);
  return left === undefined ? bounded : triangle(bounded, true, offset - left);
}
