import { mean } from "../../metrics/statistics/summary.ts";
import { type SetShares, tugOfWar } from "../../metrics/tug-of-war.ts";
import type { ScoredModel } from "../scored-model.ts";
import { hits } from "./accuracy-measures.ts";
import type { Measure } from "./measure.ts";
import { svcEfficacy } from "./membership-measures.ts";

/** A point, as for the accuracies they are made of. */
const ONE_POINT = 0.01;

/** Products of the other figures: shown because papers rank by them, and not judged, since what they are made of is. */
export const tugOfWarMeasures: readonly Measure[] = [
  {
    id: "tow",
    title: "Tug of war: all three accuracies against a retrained model (ToW)",
    group: "reported",
    unit: "share",
    scale: "log-complement",
    resolution: ONE_POINT,
    above: "has accuracies more like one retrained model’s than another one has",
    below: "has accuracies unlike those of retrained models",
    values: {
      kind: "pair",
      of: (model, retrained) => Float64Array.of(tugOfWar(shares(model), shares(retrained))),
    },
  },
  {
    id: "tow-mia",
    title: "Tug of war with a membership attack in place of forget accuracy (ToW-MIA)",
    group: "reported",
    unit: "share",
    scale: "log-complement",
    resolution: ONE_POINT,
    above: "is attacked more like one retrained model than another one is",
    below: "is attacked unlike retrained models",
    values: {
      kind: "pair",
      of: (model, retrained) => Float64Array.of(tugOfWar(attacked(model), attacked(retrained))),
    },
  },
];

function shares({ forget, retain, test }: ScoredModel): SetShares {
  return { forget: mean(hits(forget)), retain: mean(hits(retain)), test: mean(hits(test)) };
}

function attacked(model: ScoredModel): SetShares {
  return { ...shares(model), forget: mean(svcEfficacy(model)) };
}
