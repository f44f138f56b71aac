import type { Operator } from "../../onnx/ir.ts";
import type { Dim } from "../../onnx/shape.ts";
import { combined } from "./contents.ts";
import { broadcastType, staircase } from "./elementwise-rule.ts";
import { inputOf, likeInput } from "./rule.ts";

/** Whether a relation holds of two sizes: 1 or 0, or `undefined` where that hangs on a size that has only a name. */
type Relation = (a: Dim, b: Dim) => number | undefined;

/** A comparison or connective: a boolean result without a derivative. */
const truth = (type: string, relation: Relation = () => undefined): Operator => ({
  type,
  isPiecewiseConstant: true,
  infer: (context) => {
    const { shape } = broadcastType(context);
    const operands = context.inputs.map((_, index) => inputOf(context, index));
    return [{ dtype: "bool", shape, contents: combined(operands, relation) }];
  },
});

const numbers =
  (holds: (a: number, b: number) => boolean): Relation =>
  (a, b) =>
    typeof a === "number" && typeof b === "number" ? Number(holds(a, b)) : undefined;

/** Sizes of one name are equal, and none is negative. */
const equal: Relation = (a, b) => {
  if (a === b) return 1;
  const [one, other] = typeof a === "number" ? [a, b] : [b, a];
  if (typeof one === "number" && (typeof other === "number" || one < 0)) return 0;
  return undefined;
};

/** Comparisons and connectives, element by element with broadcasting. */
export const logicOperators: readonly Operator[] = [
  truth("Equal", equal),
  truth(
    "Greater",
    numbers((a, b) => a > b),
  ),
  truth(
    "GreaterOrEqual",
    numbers((a, b) => a >= b),
  ),
  truth(
    "Less",
    numbers((a, b) => a < b),
  ),
  truth(
    "LessOrEqual",
    numbers((a, b) => a <= b),
  ),
  truth(
    "And",
    numbers((a, b) => a !== 0 && b !== 0),
  ),
  truth(
    "Or",
    numbers((a, b) => a !== 0 || b !== 0),
  ),
  truth(
    "Xor",
    numbers((a, b) => (a !== 0) !== (b !== 0)),
  ),
  truth("IsNaN"),
  truth("IsInf"),
  {
    ...staircase("Not"),
    infer: (context) => {
      const contents = context.inputs[0]?.contents?.map((element) => (element === 0 ? 1 : 0));
      return likeInput(context).map((type) => ({ ...type, contents }));
    },
  },
];
