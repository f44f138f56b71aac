import type { Samples } from "../../data/dataset.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { accuracy } from "../../metrics/accuracy.ts";
import { lossMembership } from "../../metrics/membership.ts";
import { predictionDivergence } from "../../metrics/prediction-divergence.ts";
import { predictedClasses, sampleLosses } from "../../metrics/predictions.ts";
import { averageGap } from "../../metrics/set-accuracies.ts";
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
  const right = (logits: Float32Array, samples: Samples): number =>
    accuracy(predictedClasses(logits, classes), samples.labels);
  const isKept = Array.from(test.labels, (label) => !forgetClasses.includes(label));
  const predicted = predictedClasses(scores.test, classes);
  const kept = (_: unknown, row: number): boolean => isKept[row] === true;
  const { auc } = lossMembership(
    sampleLosses(scores.forget, forget.labels, classes),
    forget.labels,
    sampleLosses(scores.test, test.labels, classes),
    test.labels,
  );
  const worst = worstGroup(test, predicted, kept);
  return {
    ua: 1 - right(scores.forget, forget),
    ra: right(scores.retain, retain),
    ta: accuracy(predicted.filter(kept), test.labels.filter(kept)),
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

/** The least accuracy over groups of test samples; groups are a label with the values of all attributes. */
function worstGroup(
  samples: Samples,
  predicted: Int32Array,
  isCounted: (_: unknown, row: number) => boolean,
): number | undefined {
  if (samples.groupNames.length === 0) return undefined;
  const counts = new Map<string, { hits: number; rows: number }>();
  samples.labels.forEach((label, row) => {
    if (!isCounted(label, row)) return;
    const name = JSON.stringify([label, samples.groups(row)]);
    const count = counts.get(name) ?? { hits: 0, rows: 0 };
    counts.set(name, count);
    count.rows++;
    if (predicted[row] === label) count.hits++;
  });
  // Groups this small would make the worst one a matter of luck.
  const LEAST_ROWS = 20;
  const shares = [...counts.values()]
    .filter(({ rows }) => rows >= LEAST_ROWS)
    .map(({ hits, rows }) => hits / rows);
  return shares.length === 0 ? undefined : Math.min(...shares);
}
