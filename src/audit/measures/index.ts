import { accuracyMeasures } from "./accuracy-measures.ts";
import { featureMeasures } from "./feature-measures.ts";
import type { Measure } from "./measure.ts";
import { membershipMeasures } from "./membership-measures.ts";
import { outputMeasures } from "./output-measures.ts";

/** Every figure of an audit, in the order of its table. */
export const measures: readonly Measure[] = [
  ...accuracyMeasures,
  ...membershipMeasures,
  ...outputMeasures,
  ...featureMeasures,
];
