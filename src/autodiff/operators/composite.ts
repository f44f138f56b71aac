import type { InferContext, Operator, Value } from "../../onnx/ir.ts";

/**
 * An operator made of others. When a graph is built or read, `lower` emits those in its place: no shape rule, gradient rule or
 * engine support is needed, derivatives of every order are right if theirs are, and it may be newer than the opset Lethe
 * writes.
 *
 * An operator with some forms that are nodes of their own and some that are made of others has its two rules and `lower`,
 * which returns `undefined` for the former.
 *
 * @param type - the operator, with its domain before a colon unless that is the standard one: `com.microsoft:QuickGelu`
 * @param lower - the values of its outputs, from its inputs and attributes
 * @param facts - what else is to be said of the operator
 */
export function composite(
  type: string,
  lower: (context: InferContext) => readonly Value[],
  facts: Pick<Operator, "since" | "limits" | "constantInputs"> = {},
): Operator {
  const [name = type, domain = ""] = type.split(":").reverse();
  return {
    ...facts,
    type: name,
    domain,
    lower,
    infer: (context) => lower(context).map(({ dtype, shape, contents }) => ({ dtype, shape, contents })),
  };
}
