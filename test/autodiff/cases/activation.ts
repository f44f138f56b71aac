import fc from "fast-check";
import { type Attributes, float, text } from "../../../src/onnx/attributes.ts";
import type { Value } from "../../../src/onnx/ir.ts";
import {
  awayFromZero,
  type CaseTable,
  distinct,
  normal,
  type OperatorCase,
  real,
  type Sampler,
} from "../operator-case.ts";

const shape = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 });

const slope = fc.double({ min: 0.125, max: 2, noNaN: true }).map(Math.fround);

/** One input, the attributes drawn. */
const activation = (
  type: string,
  attributes: fc.Arbitrary<Attributes> = fc.constant({}),
  sample: Sampler = normal,
): fc.Arbitrary<OperatorCase> =>
  fc.tuple(shape, attributes).map(([size, settings]) => ({
    inputs: [real(size, sample)],
    build: (x) => applied(type, [x], settings),
  }));

/** One input and a bias of its last size. */
const biased = (type: string, isOptional: boolean): fc.Arbitrary<OperatorCase> =>
  fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 }), fc.boolean())
    .map(([n, m, bare]) => ({
      inputs: [real([n, m], normal, true), ...(isOptional && bare ? [] : [real([m])])],
      build: (...values) => applied(type, values),
    }));

const applied = (key: string, values: readonly Value[], attributes: Attributes = {}): Value => {
  const [type = key, domain = ""] = key.split(":").reverse();
  return (values[0] as Value).graph.apply(type, values, attributes, domain);
};

const withAlpha = slope.map((alpha) => ({ alpha: float(alpha) }));

/** Activations beyond the first rectifiers. */
export const activationCases: CaseTable = {
  // Kinks at multiples of 0.05, between the samples.
  ThresholdedRelu: activation(
    "ThresholdedRelu",
    fc.constantFrom({}, { alpha: float(Math.fround(0.35)) }),
    distinct(0.03),
  ),
  PRelu: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), fc.nat(2)).map(
    ([n, c, form]): OperatorCase => ({
      inputs: [real([n, c, 2], awayFromZero, true), real([[c, 1], [1], [c, 2]][form] as number[])],
      build: (x, alpha) => applied("PRelu", [x, alpha]),
    }),
  ),
  Selu: activation(
    "Selu",
    fc.oneof(
      fc.constant({}),
      fc.tuple(slope, slope).map(([alpha, gamma]) => ({ alpha: float(alpha), gamma: float(gamma) })),
    ),
    awayFromZero,
  ),
  Celu: activation("Celu", withAlpha, awayFromZero),
  Softsign: activation("Softsign", fc.constant({}), awayFromZero),
  // Kinks at ±3, between the samples.
  HardSwish: activation("HardSwish", fc.constant({}), (random, count) =>
    distinct(0.03)(random, count).map((x) => 10 * x),
  ),
  Mish: activation("Mish"),
  Swish: activation("Swish", fc.oneof(fc.constant({}), withAlpha)),
  Gelu: activation("Gelu", fc.constantFrom({}, { approximate: text("tanh") }, { approximate: text("none") })),
  "com.microsoft:Gelu": activation("com.microsoft:Gelu"),
  "com.microsoft:QuickGelu": activation("com.microsoft:QuickGelu", fc.oneof(fc.constant({}), withAlpha)),
  "com.microsoft:BiasGelu": biased("com.microsoft:BiasGelu", false),
  "com.microsoft:FastGelu": biased("com.microsoft:FastGelu", true),
};
