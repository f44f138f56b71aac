import type { Samples } from "../../data/dataset.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { accuracy } from "../../metrics/accuracy.ts";
import { groupFairness } from "../../metrics/group-fairness.ts";
import { lossMembership } from "../../metrics/membership.ts";
import { predictionDivergence } from "../../metrics/prediction-divergence.ts";
import { predictedClasses, sampleLosses } from "../../metrics/predictions.ts";
import { averageGap, retainAccuracy, unlearningAccuracy } from "../../metrics/set-accuracies.ts";
import { tugOfWar } from "../../metrics/tug-of-war.ts";
import type { Predictor } from "../../training/predictor.ts";
import type { Comparison, ComparisonPlan, Figures } from "./case.ts";

/** A model's class scores on the parts of a case. */
export interface CaseScores {
  readonly forget: Float32Array;
  readonly retain: Float32Array;
  readonly test: Float32Array;
}

/** Class scores of a model on every part. */
export async function scoresOn(
  plan: Pick<ComparisonPlan, "forget" | "retain" | "parts">,
  predictor: Predictor,
  weights: ParameterSet,
): Promise<CaseScores> {
  return {
    forget: await predictor.logitsOf(weights, plan.forget),
    retain: await predictor.logitsOf(weights, plan.retain),
    test: await predictor.logitsOf(weights, plan.parts.test),
  };
}

/** UA, RA, TA, MIA and the worst group of a model. */
export function figuresOf(plan: ComparisonPlan, scores: CaseScores): Figures {
  const { classes } = plan.architecture;
  const { forget, retain, parts, forgetClasses } = plan;
  const { test } = parts;
  const predicted = predictedClasses(scores.test, classes);
  const kept = Uint32Array.from(test.labels.keys()).filter(
    (row) => !forgetClasses.includes(test.labels[row] as number),
  );
  const { auc } = lossMembership(
    sampleLosses(scores.forget, forget.labels, classes),
    forget.labels,
    sampleLosses(scores.test, test.labels, classes),
    test.labels,
  );
  const at = (values: Int32Array): Int32Array => Int32Array.from(kept, (row) => values[row] as number);
  const worst = worstGroup(test, predicted, kept);
  return {
    ua: unlearningAccuracy({ logits: scores.forget, labels: forget.labels, classes }),
    ra: retainAccuracy({ logits: scores.retain, labels: retain.labels, classes }),
    ta: accuracy(at(predicted), at(test.labels)),
    mia: auc,
    ...(worst === undefined ? {} : { worstGroup: worst }),
  };
}

/** A model's figures beside those of the retrained model. */
export function compareWith(
  plan: ComparisonPlan,
  scores: CaseScores,
  retrained: { readonly scores: CaseScores; readonly figures: Figures },
): Comparison {
  const figures = figuresOf(plan, scores);
  const four = ({ ua, ra, ta, mia }: Figures): number[] => [ua, ra, ta, mia];
  const shares = ({ ua, ra, ta }: Figures) => ({ forget: 1 - ua, retain: ra, test: ta });
  const { classes } = plan.architecture;
  const { labels } = plan.forget;
  const { meanKullbackLeibler } = predictionDivergence(
    { logits: scores.forget, labels, classes },
    { logits: retrained.scores.forget, labels, classes },
  );
  return {
    ...figures,
    gap: averageGap(four(figures), four(retrained.figures)),
    tow: tugOfWar(shares(figures), shares(retrained.figures)),
    kl: meanKullbackLeibler,
  };
}

/** The least accuracy over groups of test samples; a group is a label with the values of all attributes. */
function worstGroup(samples: Samples, predicted: Int32Array, rows: Uint32Array): number | undefined {
  if (samples.groupNames.length === 0 || rows.length === 0) return undefined;
  const { groups } = groupFairness(
    Int32Array.from(rows, (row) => predicted[row] as number),
    Int32Array.from(rows, (row) => samples.labels[row] as number),
    Array.from(rows, (row) => JSON.stringify([samples.labels[row], samples.groups(row)])),
  );
  // Groups this small would make the worst one a matter of luck.
  const LEAST_SAMPLES = 20;
  const large = groups.filter((group) => group.samples >= LEAST_SAMPLES);
  return large.length === 0 ? undefined : Math.min(...large.map((group) => group.accuracy));
}
