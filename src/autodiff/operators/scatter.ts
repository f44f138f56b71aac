import { LetheError } from "../../kernel/errors.ts";
import { type Attributes, numberAttribute, stringAttribute } from "../../onnx/attributes.ts";
import {
  add,
  cast,
  div,
  equal,
  expandLike,
  gatherElements,
  indicatorNonNegative,
  mul,
  type ScatterOptions,
  scatterElements,
  sub,
  zerosLike,
} from "../../onnx/functions/index.ts";
import type { GradientContext, GraphNode, Operator, Value } from "../../onnx/ir.ts";
import { normalizeAxis } from "../../onnx/shape.ts";
import { inputOf, likeInput } from "./rule.ts";

/** Reading and writing single elements by index along an axis; each is the other's gradient. */
export const scatterOperators: readonly Operator[] = [
  {
    type: "GatherElements",
    infer: (context) => [{ dtype: inputOf(context, 0).dtype, shape: inputOf(context, 1).shape }],
    gradient: ({ node, inputs, gradients: [dy] }) => {
      const [x, indices] = inputs as [Value, Value];
      return [dy && scatterElements(zerosLike(x), indices, dy, { axis: axisOf(node, x), reduction: "add" })];
    },
  },
  {
    type: "ScatterElements",
    limits:
      "With reduction none an index may occur once along the axis: which of several updates stays is not defined. With mul the " +
      "second derivative is 0 where an update is exactly 0. Equal extremes of min and max share the gradient.",
    infer: (context) => {
      scatterReduction(context.attributes);
      return likeInput(context);
    },
    gradient: (context) => {
      const [dy] = context.gradients;
      const [x] = context.inputs as [Value];
      if (dy === undefined) return [];
      const axis = axisOf(context.node, x);
      const [dx, dUpdates] = RULES[scatterReduction(context.node.attributes)](context, dy, axis);
      return [context.wanted[0] ? dx() : undefined, undefined, context.wanted[2] ? dUpdates() : undefined];
    },
  },
];

type Reduction = NonNullable<ScatterOptions["reduction"]>;

/** The gradients of the written-to value and of the updates, each made on demand. */
type ScatterRule = (context: GradientContext, dy: Value, axis: number) => readonly [() => Value, () => Value];

const RULES: Readonly<Record<Reduction, ScatterRule>> = {
  // ȳ where an update stands is the update's, elsewhere the old element's.
  none: ({ inputs }, dy, axis) => {
    const [, indices, updates] = inputs as [Value, Value, Value];
    return [
      () => scatterElements(dy, indices, zerosLike(updates), { axis }),
      () => gatherElements(dy, indices, axis),
    ];
  },
  add: ({ inputs: [, indices] }, dy, axis) => [() => dy, () => gatherElements(dy, indices as Value, axis)],
  // ȳ·(the product of all other factors): by division where no factor is 0, else the factors that are 0 are counted.
  mul: ({ inputs }, dy, axis) => {
    const [x, indices, updates] = inputs as [Value, Value, Value];
    const product = (start: Value, factors: Value): Value =>
      scatterElements(start, indices, factors, { axis, reduction: "mul" });
    const ones = (): Value => expandLike(x.graph.scalar(1, x.dtype), x);
    return [
      () => mul(dy, product(ones(), updates)),
      () => {
        const isZero = cast(equal(updates, 0), updates.dtype);
        const nonZero = add(updates, isZero);
        const zeros = scatterElements(zerosLike(x), indices, isZero, { axis, reduction: "add" });
        const otherZeros = sub(gatherElements(zeros, indices, axis), isZero);
        const others = div(gatherElements(mul(dy, product(x, nonZero)), indices, axis), nonZero);
        return mul(others, cast(equal(otherZeros, 0), updates.dtype));
      },
    ];
  },
  min: (context, dy, axis) => extremeRule(context, dy, axis, (candidate, y) => sub(y, candidate)),
  max: (context, dy, axis) => extremeRule(context, dy, axis, (candidate, y) => sub(candidate, y)),
};

/** ȳ in equal shares to those that attain the extreme. */
function extremeRule(
  { inputs, outputs }: GradientContext,
  dy: Value,
  axis: number,
  advantage: (candidate: Value, y: Value) => Value,
): readonly [() => Value, () => Value] {
  const [x, indices, updates] = inputs as [Value, Value, Value];
  const [y] = outputs as [Value];
  const old = indicatorNonNegative(advantage(x, y));
  const written = indicatorNonNegative(advantage(updates, gatherElements(y, indices, axis)));
  const share = div(dy, scatterElements(old, indices, written, { axis, reduction: "add" }));
  return [() => mul(share, old), () => mul(gatherElements(share, indices, axis), written)];
}

/**
 * What a scatter does where an update meets an element.
 *
 * @throws LETHE_DATA_ATTRIBUTE for a word ONNX does not know
 */
export function scatterReduction(attributes: Attributes): Reduction {
  const reduction = stringAttribute(attributes, "reduction", "none");
  if (reduction in RULES) return reduction as Reduction;
  throw new LetheError(
    "data",
    "DATA_ATTRIBUTE",
    `Expected reduction ${Object.keys(RULES).join(", ")}, got ${reduction}.`,
  );
}

function axisOf(node: GraphNode, x: Value): number {
  return normalizeAxis(numberAttribute(node.attributes, "axis", 0), x.shape.length);
}
