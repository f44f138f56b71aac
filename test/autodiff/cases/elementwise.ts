import fc from "fast-check";
import type { RandomStream } from "../../../src/kernel/key.ts";
import { type Attributes, float, int } from "../../../src/onnx/attributes.ts";
import { clip } from "../../../src/onnx/functions/index.ts";
import {
  awayFromZero,
  below,
  type CaseTable,
  distinct,
  normal,
  type OperatorCase,
  positive,
  real,
  type Sampler,
} from "../operator-case.ts";

/** Between 0.1 and 0.9 of the way from one whole number to the next. */
const offset = (random: RandomStream): number => 0.1 + 0.8 * random.uniform();

/** Numbers in (−bound, bound). */
const inside =
  (bound: number): Sampler =>
  (random, count) =>
    Array.from({ length: count }, () => bound * (2 * random.uniform() - 1));

/** Numbers among which are infinities and what is not a number. */
const nonFinite: Sampler = (random, count) =>
  Array.from({ length: count }, () => [1.5, Number.NaN, Infinity, -Infinity][random.below(4)] as number);

const shape = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 });

/** Two shapes that broadcast: some axes shortened to 1, some leading ones dropped. */
const shapePair = fc
  .tuple(shape, fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), fc.nat(2), fc.boolean())
  .map(([full, shorten, drop, turn]) => {
    const left = full.map((size, axis) => (shorten[axis] ? 1 : size));
    const right = full.map((size, axis) => (shorten[axis + 3] ? 1 : size)).slice(Math.min(drop, full.length));
    return turn ? ([right, left] as const) : ([left, right] as const);
  });

const unary = (type: string, sample: Sampler = normal): fc.Arbitrary<OperatorCase> =>
  fc.tuple(shape, fc.boolean()).map(([size, open]) => ({
    inputs: [real(size, sample, open && size.length > 0)],
    build: (x) => x.graph.apply(type, [x]),
  }));

const binary = (
  type: string,
  left: Sampler = normal,
  right: Sampler = normal,
  attributes: Attributes = {},
): fc.Arbitrary<OperatorCase> =>
  shapePair.map(([a, b]) => ({
    inputs: [real(a, left), real(b, right)],
    build: (x, y) => x.graph.apply(type, [x, y], attributes),
  }));

const connective = (type: string): fc.Arbitrary<OperatorCase> =>
  shapePair.map(([a, b]) => ({
    inputs: [
      { shape: a, dtype: "bool", sample: below(2) },
      { shape: b, dtype: "bool", sample: below(2) },
    ],
    build: (x, y) => x.graph.apply(type, [x, y]),
  }));

const slope = fc.double({ min: 0.125, max: 2, noNaN: true });

const withAlpha = (type: string): fc.Arbitrary<OperatorCase> =>
  fc.tuple(shape, slope).map(([size, alpha]) => ({
    inputs: [real(size, awayFromZero)],
    build: (x) => x.graph.apply(type, [x], { alpha: float(Math.fround(alpha)) }),
  }));

const variadic = (type: string): fc.Arbitrary<OperatorCase> =>
  fc.tuple(shapePair, shape, fc.boolean()).map(([[a, b], , third]) => ({
    inputs: [real(a, distinct()), real(b, distinct(0.03)), ...(third ? [real(a, distinct(0.06))] : [])],
    build: (...values) => (values[0] as (typeof values)[number]).graph.apply(type, values),
  }));

/** Operators that work on each element by itself. */
export const elementwiseCases: CaseTable = {
  Add: binary("Add"),
  Sub: binary("Sub"),
  Mul: binary("Mul"),
  Div: binary("Div", normal, awayFromZero),
  Pow: fc.oneof(
    binary("Pow", positive, normal),
    fc.tuple(shape, fc.constantFrom(-1, 0.5, 1, 2, 3)).map(
      ([size, exponent]): OperatorCase => ({
        inputs: [real(size, Number.isInteger(exponent) ? awayFromZero : positive)],
        build: (x) => x.graph.apply("Pow", [x, x.graph.scalar(exponent, x.dtype)]),
      }),
    ),
    // A trained base with whole-number exponents held as integers.
    shape.map(
      (size): OperatorCase => ({
        inputs: [real(size, awayFromZero), { shape: size, dtype: "int64", sample: below(4) }],
        build: (x, n) => x.graph.apply("Pow", [x, n]),
      }),
    ),
  ),
  Sum: variadic("Sum"),
  Mean: variadic("Mean"),
  Mod: fc.oneof(
    // Quotients at least 0.01 away from whole numbers: there the remainder jumps.
    binary(
      "Mod",
      (random, count) => Array.from({ length: count }, () => (random.below(9) - 4 + offset(random)) * 0.5),
      (random, count) => Array.from({ length: count }, () => (random.below(2) === 0 ? -0.5 : 0.5)),
      { fmod: int(1) },
    ),
    shapePair.map(
      ([a, b]): OperatorCase => ({
        inputs: [
          { shape: a, dtype: "int64", sample: (random, count) => below(19)(random, count).map((x) => x - 9) },
          { shape: b, dtype: "int64", sample: (random, count) => below(5)(random, count).map((x) => x + 1) },
        ],
        build: (x, y) => x.graph.apply("Mod", [x, y]),
      }),
    ),
  ),
  Max: variadic("Max"),
  Min: variadic("Min"),
  Equal: binary("Equal", distinct(), distinct()),
  Greater: binary("Greater"),
  GreaterOrEqual: binary("GreaterOrEqual", distinct(), distinct()),
  Less: binary("Less"),
  LessOrEqual: binary("LessOrEqual", distinct(), distinct()),
  And: connective("And"),
  Or: connective("Or"),
  Xor: connective("Xor"),
  IsNaN: unary("IsNaN", nonFinite),
  IsInf: fc.tuple(shape, fc.constantFrom({}, { detect_negative: int(0) }, { detect_positive: int(0) })).map(
    ([size, settings]): OperatorCase => ({
      inputs: [real(size, nonFinite)],
      build: (x) => x.graph.apply("IsInf", [x], settings),
    }),
  ),
  Not: shape.map((size) => ({
    inputs: [{ shape: size, dtype: "bool", sample: below(2) }],
    build: (x) => x.graph.apply("Not", [x]),
  })),
  Identity: unary("Identity"),
  // Its derivative is not that of its definition, on purpose: see gradients.test.ts.
  "lethe:StopGradient": shape.map((size) => ({
    inputs: [real(size)],
    build: (x) => x.graph.apply("StopGradient", [x], {}, "lethe"),
    isForwardOnly: true,
  })),
  Neg: unary("Neg"),
  Abs: unary("Abs", awayFromZero),
  Sign: unary("Sign", awayFromZero),
  // A hundred ranks apart by 0.1 and shifted off the integers, where the stairs are.
  Floor: unary("Floor", distinct(0.03)),
  Ceil: unary("Ceil", distinct(0.03)),
  Round: unary("Round", distinct(0.03)),
  Reciprocal: unary("Reciprocal", awayFromZero),
  Sqrt: unary("Sqrt", positive),
  Exp: unary("Exp"),
  Log: unary("Log", positive),
  Sin: unary("Sin"),
  Cos: unary("Cos"),
  Tan: unary("Tan", inside(1)),
  Asin: unary("Asin", inside(0.8)),
  Acos: unary("Acos", inside(0.8)),
  Atan: unary("Atan"),
  Sinh: unary("Sinh"),
  Cosh: unary("Cosh"),
  Asinh: unary("Asinh"),
  Acosh: unary("Acosh", (random, count) => positive(random, count).map((x) => x + 1)),
  Atanh: unary("Atanh", inside(0.8)),
  Tanh: unary("Tanh"),
  Sigmoid: unary("Sigmoid"),
  Softplus: unary("Softplus"),
  Erf: unary("Erf"),
  Relu: unary("Relu", awayFromZero),
  LeakyRelu: withAlpha("LeakyRelu"),
  Elu: withAlpha("Elu"),
  // Ramps with their kinks at multiples of 0.1 less 0.05, between the samples; and the step that masks are made of.
  HardSigmoid: fc.tuple(shape, fc.constantFrom([1, 0.45], [2, 0.3], [1e30, 0], [1e30, 1])).map(
    ([size, [alpha, beta]]): OperatorCase => ({
      inputs: [real(size, distinct(0.03))],
      build: (x) =>
        x.graph.apply("HardSigmoid", [x], { alpha: float(alpha as number), beta: float(beta as number) }),
    }),
  ),
  Clip: fc.tuple(shape, fc.nat(2)).map(
    ([size, ends]): OperatorCase => ({
      inputs: [real(size, distinct(0.03))],
      build: (x) => {
        const [low, high] = [x.graph.scalar(-0.25, x.dtype), x.graph.scalar(0.25, x.dtype)];
        if (ends === 0) return clip(x, -0.25, 0.25);
        return x.graph.apply("Clip", ends === 1 ? [x, low] : [x, undefined, high]);
      },
    }),
  ),
  Where: fc.tuple(shapePair, fc.boolean()).map(
    ([[a, b], onLeft]): OperatorCase => ({
      inputs: [{ shape: onLeft ? a : b, dtype: "bool", sample: below(2) }, real(a), real(b)],
      build: (condition, x, y) => condition.graph.apply("Where", [condition, x, y]),
    }),
  ),
  Cast: fc.tuple(shape, fc.constantFrom(1, 7, 9, 11)).map(
    ([size, to]): OperatorCase => ({
      inputs: [real(size, awayFromZero)],
      build: (x) => x.graph.apply("Cast", [x], { to: int(to) }),
    }),
  ),
  CastLike: fc.tuple(shape, shape).map(
    ([a, b]): OperatorCase => ({
      inputs: [{ shape: a, dtype: "int64", sample: below(9) }, real(b)],
      build: (x, y) => x.graph.apply("CastLike", [x, y]),
    }),
  ),
  Dropout: fc.tuple(shape, fc.boolean()).map(
    ([size, hasRatio]): OperatorCase => ({
      inputs: [real(size)],
      build: (x) => x.graph.apply("Dropout", hasRatio ? [x, x.graph.scalar(0.5, x.dtype)] : [x]),
    }),
  ),
};
