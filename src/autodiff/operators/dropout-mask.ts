import { sizeOf } from "../../kernel/layout.ts";
import { int } from "../../onnx/attributes.ts";
import { add, greaterOrEqual, mod, mul, reshape } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import { tensorOfNumbers } from "../../onnx/tensor.ts";
import { knownSize } from "./known.ts";

/**
 * A prime below 2³⁰ with remainder 2 by 3: cubing is a bijection of the residues, and the cube of a sum of two residues stays
 * below 2⁶², so that every engine with 64-bit integers gets the same numbers.
 */
const PRIME = 1073741789;

/** The fractions of √2, the golden ratio, e and π in units of 2⁻³⁰: nothing-up-my-sleeve numbers that tell the rounds apart. */
const ROUND_CONSTANTS = [0.41421356237, 0.61803398875, 0.71828182846, 0.14159265359].map((fraction) =>
  Math.floor(fraction * 2 ** 30),
);

/**
 * Which elements of x dropout keeps: each one with probability 1 − ratio, worked out from its place and the seed alone.
 *
 * The number of element (i, j) is (rᵢ + cⱼ)³ mod p, where rᵢ and cⱼ come from the row and the column number by four rounds of
 * adding the seed and cubing (those of MiMC, Albrecht et al. 2016, IACR 2016/492): rows and columns are few, and each element
 * costs no more than two products and two remainders. It is made to look random in training, not to withstand an attack.
 *
 * @param x - [rows, …], the sizes but the first known
 * @param ratio - the probability to drop, in [0, 1)
 * @param seed - int64 scalar; equal modulo {@link PRIME} means equal
 * @param salt - tells the layers of a graph apart
 * @returns of x's shape, boolean
 */
export function dropoutMask(x: Value, ratio: number, seed: Value, salt: number): Value {
  const { graph, shape } = x;
  const whole = (value: number): Value => graph.scalar(value, "int64");
  const layer = scrambled(mod(seed, PRIME), whole(salt));
  const [ofRows, ofColumns] = [scrambled(layer, whole(0)), scrambled(layer, whole(1))];
  const [rows, ...rest] = shape;
  const sizes = rest.map((_, axis) => knownSize(x, axis + 1));
  const column = reshape(
    scrambled(placesUpTo(graph.integers([sizeOf(sizes)])), ofColumns),
    rows === undefined ? [] : [1, ...sizes],
  );
  const mixed =
    rows === undefined
      ? column
      : add(reshape(scrambled(placesUpTo(firstSize(x)), ofRows), [rows, ...sizes.map(() => 1)]), column);
  return greaterOrEqual(cube(mixed), whole(Math.floor(ratio * PRIME)));
}

/** Rounds v ← (v + key + constant)³ mod p. */
function scrambled(value: Value, key: Value): Value {
  return ROUND_CONSTANTS.reduce((v, constant) => cube(mod(add(add(v, key), constant), PRIME)), value);
}

function cube(value: Value): Value {
  return mod(mul(mod(mul(value, value), PRIME), value), PRIME);
}

/** 0, 1, …, count − 1, from a count of shape [1]. */
function placesUpTo(count: Value): Value {
  const { graph } = count;
  const ones = graph.apply("ConstantOfShape", [count], {
    value: { type: "tensor", value: tensorOfNumbers("int64", [1], [1]) },
  });
  return graph.apply("CumSum", [ones, graph.scalar(0, "int64")], { exclusive: int(1) });
}

/** The size of the first axis as a vector [1]. */
function firstSize(x: Value): Value {
  const [size] = x.shape;
  if (typeof size === "number") return x.graph.integers([size]);
  return x.graph.apply("Shape", [x], { start: int(0), end: int(1) });
}
