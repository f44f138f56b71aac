import { numberAttribute, stringAttribute } from "../../../src/onnx/attributes.ts";
import { type Application, type Evaluator, type Evaluators, inputAt } from "./evaluator.ts";
import { broadcast, broadcastAt, type NdArray, tabulate } from "./nd-array.ts";

/** Operators that work on each element by itself. */
export const elementwiseEvaluators: Evaluators = {
  Add: combine((a, b) => a + b),
  Sub: combine((a, b) => a - b),
  Mul: combine((a, b) => a * b),
  Div: combine((a, b) => a / b),
  Pow: combine((a, b) => a ** b),
  Sum: combine((a, b) => a + b),
  Mean: (application) => {
    const [total] = combine((a, b) => a + b)(application) as [NdArray];
    return [{ ...total, data: total.data.map((x) => x / application.inputs.length) }];
  },
  Mod: (application) =>
    combine((a, b) =>
      numberAttribute(application.attributes, "fmod", 0) !== 0 ? a % b : a - b * Math.floor(a / b),
    )(application),
  Max: combine(Math.max),
  Min: combine(Math.min),
  Equal: combine((a, b) => Number(a === b)),
  Greater: combine((a, b) => Number(a > b)),
  GreaterOrEqual: combine((a, b) => Number(a >= b)),
  Less: combine((a, b) => Number(a < b)),
  LessOrEqual: combine((a, b) => Number(a <= b)),
  Xor: combine((a, b) => Number((a !== 0) !== (b !== 0))),
  IsNaN: map((x) => Number(Number.isNaN(x))),
  IsInf: map((x, { attributes }) =>
    Number(
      (x === Number.POSITIVE_INFINITY && numberAttribute(attributes, "detect_positive", 1) !== 0) ||
        (x === Number.NEGATIVE_INFINITY && numberAttribute(attributes, "detect_negative", 1) !== 0),
    ),
  ),
  And: combine((a, b) => Number(a !== 0 && b !== 0)),
  Or: combine((a, b) => Number(a !== 0 || b !== 0)),
  Not: map((x) => Number(x === 0)),
  Identity: map((x) => x),
  "lethe:StopGradient": map((x) => x),
  Neg: map((x) => -x),
  Abs: map(Math.abs),
  Sign: map(Math.sign),
  Floor: map(Math.floor),
  Ceil: map(Math.ceil),
  Round: map(roundHalfToEven),
  Reciprocal: map((x) => 1 / x),
  Sqrt: map(Math.sqrt),
  Exp: map(Math.exp),
  Log: map(Math.log),
  Sin: map(Math.sin),
  Cos: map(Math.cos),
  Tan: map(Math.tan),
  Asin: map(Math.asin),
  Acos: map(Math.acos),
  Atan: map(Math.atan),
  Sinh: map(Math.sinh),
  Cosh: map(Math.cosh),
  Asinh: map(Math.asinh),
  Acosh: map(Math.acosh),
  Atanh: map(Math.atanh),
  Tanh: map(Math.tanh),
  Sigmoid: map((x) => 1 / (1 + Math.exp(-x))),
  Softplus: map((x) => Math.log1p(Math.exp(x))),
  Erf: map(erf),
  Relu: map((x) => Math.max(x, 0)),
  LeakyRelu: map((x, { attributes }) => (x < 0 ? numberAttribute(attributes, "alpha", 0.01) * x : x)),
  ThresholdedRelu: map((x, { attributes }) => (x > numberAttribute(attributes, "alpha", 1) ? x : 0)),
  PRelu: (application) => {
    const [x, slope] = [inputAt(application, 0), inputAt(application, 1)];
    return [
      tabulate(x.shape, (index) =>
        broadcastAt(x, index) >= 0
          ? broadcastAt(x, index)
          : broadcastAt(x, index) * broadcastAt(slope, index),
      ),
    ];
  },
  Selu: map((x, { attributes }) => {
    const alpha = numberAttribute(attributes, "alpha", 1.6732631921768188);
    return numberAttribute(attributes, "gamma", 1.0507010221481323) * (x > 0 ? x : alpha * Math.expm1(x));
  }),
  Celu: map((x, { attributes }) => {
    const alpha = numberAttribute(attributes, "alpha", 1);
    return Math.max(0, x) + Math.min(0, alpha * Math.expm1(x / alpha));
  }),
  Softsign: map((x) => x / (1 + Math.abs(x))),
  HardSwish: map((x) => x * Math.max(0, Math.min(1, x / 6 + 0.5))),
  Mish: map((x) => x * Math.tanh(Math.log1p(Math.exp(x)))),
  Swish: map((x, { attributes }) => x / (1 + Math.exp(-numberAttribute(attributes, "alpha", 1) * x))),
  "com.microsoft:QuickGelu": map(
    (x, { attributes }) => x / (1 + Math.exp(-numberAttribute(attributes, "alpha", 1.702) * x)),
  ),
  Gelu: map((x, { attributes }) =>
    stringAttribute(attributes, "approximate", "none") === "tanh" ? tanhGelu(x) : gelu(x),
  ),
  "com.microsoft:Gelu": map(gelu),
  "com.microsoft:BiasGelu": (application) => onSum(application, gelu),
  "com.microsoft:FastGelu": (application) => onSum(application, tanhGelu),
  Elu: map((x, { attributes }) => (x < 0 ? numberAttribute(attributes, "alpha", 1) * Math.expm1(x) : x)),
  HardSigmoid: map((x, { attributes }) => {
    const ramp = numberAttribute(attributes, "alpha", 0.2) * x + numberAttribute(attributes, "beta", 0.5);
    return Math.max(0, Math.min(1, ramp));
  }),
  Clip: (application) => {
    const low = application.inputs[1]?.data[0] ?? Number.NEGATIVE_INFINITY;
    const high = application.inputs[2]?.data[0] ?? Number.POSITIVE_INFINITY;
    return map((x) => Math.min(Math.max(x, low), high))(application);
  },
  Where: (application) => {
    const [condition, a, b] = [inputAt(application, 0), inputAt(application, 1), inputAt(application, 2)];
    const shape = broadcast([condition.shape, a.shape, b.shape]);
    return [
      tabulate(shape, (index) =>
        broadcastAt(condition, index) !== 0 ? broadcastAt(a, index) : broadcastAt(b, index),
      ),
    ];
  },
  Cast: map((x, { attributes }) => {
    const to = numberAttribute(attributes, "to", 1);
    if (to === BOOL) return Number(x !== 0);
    return INTEGERS.includes(to) ? Math.trunc(x) : x;
  }),
  CastLike: map((x) => x),
  Dropout: (application) => [
    inputAt(application, 0),
    ...map(() => 1)(application).slice(0, application.outputCount - 1),
  ],
};

/** ONNX's numbers for the boolean type and the integer types. */
const BOOL = 9;
const INTEGERS = [2, 3, 6, 7];

function map(f: (x: number, application: Application) => number): Evaluator {
  return (application) => {
    const x = inputAt(application, 0);
    return [{ shape: x.shape, data: x.data.map((element) => f(element, application)) }];
  };
}

function combine(f: (a: number, b: number) => number): Evaluator {
  return (application) => {
    const values = application.inputs.map((_, index) => inputAt(application, index));
    const shape = broadcast(values.map((value) => value.shape));
    return [
      tabulate(shape, (index) => values.map((value) => broadcastAt(value, index)).reduce((a, b) => f(a, b))),
    ];
  };
}

/** f of the sum of the inputs, of which the second may be missing. */
function onSum(application: Application, f: (x: number) => number): NdArray[] {
  const present = application.inputs.filter((input) => input !== undefined);
  const [sum] = combine((a, b) => a + b)({ ...application, inputs: present }) as [NdArray];
  return [{ ...sum, data: sum.data.map(f) }];
}

function gelu(x: number): number {
  return (x / 2) * (1 + erf(x / Math.SQRT2));
}

function tanhGelu(x: number): number {
  return (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

function roundHalfToEven(x: number): number {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

/** 2/√π·e^(−x²)·Σ 2ⁿx²ⁿ⁺¹/(2n + 1)!!, all terms of one sign. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * Number.EPSILON; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
