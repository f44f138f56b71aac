import { accuracyMeasures } from "./accuracy-measures.ts";
import { featureMeasures } from "./feature-measures.ts";
import type { Measure } from "./measure.ts";
import { membershipMeasures } from "./membership-measures.ts";
import { outputMeasures } from "./output-measures.ts";
import { traceMeasures } from "./trace-measures.ts";
import { tugOfWarMeasures } from "./tug-of-war-measures.ts";

/** Every figure of an audit, in the order of its table. */
export const measures: readonly Measure[] = [
  ...accuracyMeasures,
  ...membershipMeasures,
  ...outputMeasures,
  ...featureMeasures,
  ...traceMeasures,
  ...tugOfWarMeasures,
];
