import type { CaseTable } from "../operator-case.ts";
import { activationCases } from "./activation.ts";
import { attentionCases } from "./attention.ts";
import { elementwiseCases } from "./elementwise.ts";
import { indexingCases } from "./indexing.ts";
import { linearCases } from "./linear.ts";
import { normalizationCases } from "./normalization.ts";
import { recurrentCases } from "./recurrent.ts";
import { reductionCases } from "./reduction.ts";
import { resizeCases } from "./resize.ts";
import { spatialCases } from "./spatial.ts";
import { structureCases } from "./structure.ts";

/** Random uses of every operator. */
export const cases: CaseTable = {
  ...activationCases,
  ...attentionCases,
  ...elementwiseCases,
  ...normalizationCases,
  ...recurrentCases,
  ...reductionCases,
  ...indexingCases,
  ...resizeCases,
  ...linearCases,
  ...structureCases,
  ...spatialCases,
};
