import { type OperatorTable, operatorTable } from "../../onnx/operator.ts";
import { averagePoolOperators } from "./average-pool.ts";
import { batchNormalizationOperators } from "./batch-normalization.ts";
import { convOperators } from "./conv.ts";
import { convTransposeOperators } from "./conv-transpose.ts";
import { elementwiseOperators } from "./elementwise.ts";
import { globalPoolOperators } from "./global-pool.ts";
import { linearOperators } from "./linear.ts";
import { maxPoolOperators } from "./max-pool.ts";
import { reduceOperators } from "./reduce.ts";
import { resizeOperators } from "./resize.ts";
import { scatterOperators } from "./scatter.ts";
import { structureOperators } from "./structure.ts";

/** Every operator Lethe reads, infers and differentiates. */
export const operators: OperatorTable = operatorTable([
  ...elementwiseOperators,
  ...reduceOperators,
  ...linearOperators,
  ...structureOperators,
  ...convOperators,
  ...convTransposeOperators,
  ...maxPoolOperators,
  ...averagePoolOperators,
  ...globalPoolOperators,
  ...resizeOperators,
  ...batchNormalizationOperators,
  ...scatterOperators,
]);
