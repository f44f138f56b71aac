import type { CaseTable } from "../operator-case.ts";
import { activationCases } from "./activation.ts";
import { elementwiseCases } from "./elementwise.ts";
import { linearCases } from "./linear.ts";
import { normalizationCases } from "./normalization.ts";
import { reductionCases } from "./reduction.ts";
import { spatialCases } from "./spatial.ts";
import { structureCases } from "./structure.ts";

/** Random uses of every operator. */
export const cases: CaseTable = {
  ...activationCases,
  ...elementwiseCases,
  ...normalizationCases,
  ...reductionCases,
  ...linearCases,
  ...structureCases,
  ...spatialCases,
};
