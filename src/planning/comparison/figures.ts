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
import type { Comparison, Figures } from "./case.ts";

/** The samples a model is judged on. */
export interface JudgedSamples {
  readonly classes: number;
  readonly forgetClasses: readonly number[];
  readonly forget: Samples;
  readonly retain: Samples;
  readonly test: Samples;
}

/** A model's class scores on them. */
export interface CaseScores {
  readonly forget: Float32Array;
  readonly retain: Float32Array;
  readonly test: Float32Array;
}

/** Class scores of a model on every part. */
export async function scoresOn(
  judged: JudgedSamples,
  predictor: Predictor,
  weights: ParameterSet,
): Promise<CaseScores> {
  return {
    forget: await predictor.logitsOf(weights, judged.forget),
    retain: await predictor.logitsOf(weights, judged.retain),
    test: await predictor.logitsOf(weights, judged.test),
  };
}

/** UA, RA, TA, MIA and the worst group of a model. */
export function figuresOf(judged: JudgedSamples, scores: CaseScores): Figures {
  const { classes, forget, retain, test, forgetClasses } = judged;
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
  judged: JudgedSamples,
  scores: CaseScores,
  retrained: { readonly scores: CaseScores; readonly figures: Figures },
): Comparison {
  const figures = figuresOf(judged, scores);
  const four = ({ ua, ra, ta, mia }: Figures): number[] => [ua, ra, ta, mia];
  const shares = ({ ua, ra, ta }: Figures) => ({ forget: 1 - ua, retain: ra, test: ta });
  const attacked = ({ mia, ra, ta }: Figures) => ({ forget: mia, retain: ra, test: ta });
  const { classes, forget } = judged;
  const { labels } = forget;
  const { meanKullbackLeibler } = predictionDivergence(
    { logits: scores.forget, labels, classes },
    { logits: retrained.scores.forget, labels, classes },
  );
  return {
    ...figures,
    gap: averageGap(four(figures), four(retrained.figures)),
    tow: tugOfWar(shares(figures), shares(retrained.figures)),
    towMia: tugOfWar(attacked(figures), attacked(retrained.figures)),
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
