import { type OperatorTable, operatorTable } from "../../onnx/operator.ts";
import { elementwiseOperators } from "./elementwise.ts";
import { linearOperators } from "./linear.ts";
import { reduceOperators } from "./reduce.ts";
import { structureOperators } from "./structure.ts";

/** Every operator Lethe reads, infers and differentiates. */
export const operators: OperatorTable = operatorTable([
  ...elementwiseOperators,
  ...reduceOperators,
  ...linearOperators,
  ...structureOperators,
]);
