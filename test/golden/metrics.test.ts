import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { keyFromSeed } from "../../src/kernel/key.ts";
import { fitLogisticLine } from "../../src/metrics/attacks/logistic-regression.ts";
import { type MembershipFeature, membershipFeatures } from "../../src/metrics/attacks/membership-features.ts";
import { fitSupportVectors } from "../../src/metrics/attacks/support-vector-classifier.ts";
import { svcMembership } from "../../src/metrics/attacks/svc-membership.ts";
import { linearCka } from "../../src/metrics/feature-similarity.ts";
import { forgettingEpsilons, forgettingQuality } from "../../src/metrics/forgetting-quality.ts";
import { klom } from "../../src/metrics/klom.ts";
import { logProbabilities } from "../../src/metrics/log-probabilities.ts";
import { margins } from "../../src/metrics/margins.ts";
import type { ScoredSamples } from "../../src/metrics/scored-samples.ts";
import { bootstrapInterval } from "../../src/metrics/statistics/bootstrap.ts";
import { clopperPearson } from "../../src/metrics/statistics/clopper-pearson.ts";
import { equivalenceTest } from "../../src/metrics/statistics/equivalence-test.ts";
import { kolmogorovSmirnov } from "../../src/metrics/statistics/kolmogorov-smirnov.ts";
import { logGamma } from "../../src/metrics/statistics/log-gamma.ts";
import { normalCdf, normalQuantile } from "../../src/metrics/statistics/normal.ts";
import { areaUnder, rocCurve } from "../../src/metrics/statistics/roc.ts";
import { studentCdf, studentLogDensity } from "../../src/metrics/statistics/student-t.ts";
import { mean } from "../../src/metrics/statistics/summary.ts";
import { minK, minKPlusPlus } from "../../src/metrics/token-membership.ts";

// Values of the official implementations; metrics.json holds the command, the seed and the versions that made them.
interface Scores {
  readonly logits: number[];
  readonly labels: number[];
  readonly classes: number;
}
interface SvcCase {
  readonly members: Scores;
  readonly nonMembers: Scores;
  readonly forget: Scores;
  readonly expected: Record<
    MembershipFeature,
    {
      readonly values: number[];
      readonly efficacy: number;
      readonly calledMember: boolean[];
      readonly tightDecisions: number[];
    }
  >;
}
interface Golden {
  readonly svc: readonly SvcCase[];
  readonly supportVectors: {
    readonly features: number[];
    readonly members: number;
    readonly queries: number[];
    readonly tightDecisions: number[];
    readonly calledMember: boolean[];
  };
  readonly logistic: { losses: number[]; members: number; weight: number; intercept: number };
  readonly roc: {
    scores: number[];
    members: boolean[];
    auc: number;
    falsePositiveRates: number[];
    truePositiveRates: number[];
  };
  readonly forgettingQuality: readonly {
    unlearned: number[][];
    retrained: number[][];
    epsilons: number[];
    score: number;
  }[];
  readonly kolmogorovSmirnov: readonly {
    a: number[];
    b: number[];
    statistic: number;
    exact: number;
    limit: number;
  }[];
  readonly equivalence: { a: number[]; b: number[]; margin: number; p: number };
  readonly proportions: readonly {
    successes: number;
    trials: number;
    confidence: number;
    low: number;
    high: number;
  }[];
  readonly distributions: {
    normal: [number, number][];
    normalQuantile: [number, number][];
    student: [number, number, number, number][];
    logGamma: [number, number][];
  };
  readonly bootstrap: { values: number[]; bca: [number, number]; percentile: [number, number] };
  readonly language: {
    logits: number[];
    vocabulary: number;
    tokens: number[];
    results: { share: number; minK: number; minKPlusPlus: number }[];
  };
  readonly cka: { a: number[]; widthA: number; b: number[]; widthB: number; cka: number };
  readonly klom: {
    unlearned: number[][];
    oracles: number[][];
    values: number[];
    logits: number[];
    labels: number[];
    classes: number;
    margins: number[];
    confidences: number[];
  };
}
const golden = JSON.parse(readFileSync(join(import.meta.dirname, "metrics.json"), "utf8")) as Golden;

/** Agreement asked of everything deterministic. */
const DIGITS = 6;

function expectClose(actual: ArrayLike<number>, expected: readonly number[], digits = DIGITS): void {
  expect(actual).toHaveLength(expected.length);
  for (const [index, value] of expected.entries()) expect(actual[index]).toBeCloseTo(value, digits);
}

function scored({ logits, labels, classes }: Scores): ScoredSamples {
  return { logits: Float32Array.from(logits), labels: Int32Array.from(labels), classes };
}

describe.each(golden.svc)("the support vector attack of the sparse-unlearning papers, case %$", (given) => {
  const input = {
    members: scored(given.members),
    nonMembers: scored(given.nonMembers),
    forget: scored(given.forget),
    key: keyFromSeed(1),
  };
  const names = Object.keys(given.expected) as MembershipFeature[];

  it.each(names)("sees the same %s", (name) => {
    expectClose(membershipFeatures[name](input.forget), given.expected[name].values);
  });

  it.each(names)("decides by %s as scikit-learn's SVC(C=3, gamma='auto')", (name) => {
    const { tightDecisions, calledMember, efficacy } = given.expected[name];
    const both = [input.members, input.nonMembers].flatMap((group) => [...membershipFeatures[name](group)]);
    const isMember = [...input.members.labels, ...input.nonMembers.labels].map(
      (_, row) => row < input.members.labels.length,
    );
    const target = membershipFeatures[name](input.forget);
    const usual = fitSupportVectors(Float64Array.from(both), isMember).decide(target);
    expect([...usual].map((decision) => decision > 0)).toEqual(calledMember);
    const tight = fitSupportVectors(Float64Array.from(both), isMember, { tolerance: 1e-10 }).decide(target);
    expectClose(tight, tightDecisions);
    expect(svcMembership(input, [name])[name]).toBeCloseTo(efficacy, 12);
  });
});

it("support vectors agree where classes overlap and the solver needs thousands of steps", () => {
  const { features, members, queries, tightDecisions, calledMember } = golden.supportVectors;
  const isMember = Array.from({ length: features.length / 2 }, (_, row) => row < members);
  const rows = Float64Array.from(queries);
  const usual = fitSupportVectors(Float64Array.from(features), isMember);
  expect([...usual.decide(rows)].map((decision) => decision > 0)).toEqual(calledMember);
  const tight = fitSupportVectors(Float64Array.from(features), isMember, { tolerance: 1e-9 });
  expectClose(tight.decide(rows), tightDecisions);
});

it("the logistic line is scikit-learn's", () => {
  const { losses, members, weight, intercept } = golden.logistic;
  const line = fitLogisticLine(
    losses,
    losses.map((_, index) => index < members),
  );
  expect(line.weight).toBeCloseTo(weight, DIGITS);
  expect(line.intercept).toBeCloseTo(intercept, DIGITS);
});

it("the ROC curve has scikit-learn's points and area, ties together", () => {
  const { scores, members, auc, falsePositiveRates, truePositiveRates } = golden.roc;
  const curve = rocCurve(scores, members);
  expectClose(
    curve.map((point) => point.falsePositiveRate),
    falsePositiveRates,
  );
  expectClose(
    curve.map((point) => point.truePositiveRate),
    truePositiveRates,
  );
  expect(areaUnder(curve)).toBeCloseTo(auc, 12);
});

describe("KLoM", () => {
  const { unlearned, oracles, values, ...scores } = golden.klom;
  const table = (rows: readonly number[][]): Float64Array[] => rows.map((row) => Float64Array.from(row));

  it("is the benchmark's, with its last edge", () => {
    expectClose(klom(table(unlearned), table(oracles), { lastEdge: "dropped" }), values);
  });

  it("takes margins that are the benchmark's and the competition's logit-scaled confidences", () => {
    expectClose(margins(scored(scores)), scores.margins);
    expectClose(margins(scored(scores)), scores.confidences);
  });
});

describe("forgetting quality", () => {
  it.each(golden.forgettingQuality)("is that of the competition's scorer, case %$", (given) => {
    const table = (rows: readonly number[][]): Float64Array[] => rows.map((row) => Float64Array.from(row));
    const epsilons = forgettingEpsilons(table(given.unlearned), table(given.retrained));
    // The scorer takes its rates in single precision.
    expectClose(epsilons, given.epsilons, 5);
    expect(forgettingQuality(epsilons, given.unlearned.length)).toBeCloseTo(given.score, 9);
  });
});

describe("statistics agree with SciPy:", () => {
  it.each(golden.kolmogorovSmirnov)(
    "the Kolmogorov–Smirnov test, case %$",
    ({ a, b, statistic, exact, limit }) => {
      const found = kolmogorovSmirnov(a, b);
      expect(found).toMatchObject({ method: "exact" });
      expect(found.statistic).toBeCloseTo(statistic, 10);
      expect(found.p / exact).toBeCloseTo(1, DIGITS);
      expect(kolmogorovSmirnov(a, b, "asymptotic").p / limit).toBeCloseTo(1, DIGITS);
    },
  );

  it("the two one-sided tests", () => {
    const { a, b, margin, p } = golden.equivalence;
    expect(equivalenceTest(a, b, margin).p).toBeCloseTo(p, 9);
  });

  it.each(golden.proportions)("Clopper and Pearson's interval of $successes in $trials", (given) => {
    const { low, high } = clopperPearson(given.successes, given.trials, given.confidence);
    expect(low).toBeCloseTo(given.low, 9);
    expect(high).toBeCloseTo(given.high, 9);
  });

  it("the distributions", () => {
    const { normal, normalQuantile: quantiles, student, logGamma: gammas } = golden.distributions;
    for (const [x, p] of normal) expect(normalCdf(x) / p).toBeCloseTo(1, 10);
    for (const [p, x] of quantiles) expect(normalQuantile(p)).toBeCloseTo(x, 8);
    for (const [t, freedom, p, density] of student) {
      expect(studentCdf(t, freedom)).toBeCloseTo(p, 10);
      expect(studentLogDensity(t, freedom)).toBeCloseTo(density, 10);
    }
    // The file holds twelve digits.
    for (const [x, value] of gammas)
      expect(Math.abs(logGamma(x) - value)).toBeLessThan(1e-11 * Math.max(1, value));
  });

  it("bootstrap intervals of a skewed sample's mean, up to the scatter of the draws", () => {
    const { values, bca, percentile } = golden.bootstrap;
    const average = (groups: readonly (readonly number[])[]) => mean(groups[0] as number[]);
    const interval = (method: "bca" | "percentile") =>
      bootstrapInterval([values], average, keyFromSeed(1), { method, resamples: 10_000 });
    // 10,000 draws place an end of the interval to about 2 % of its width.
    for (const [found, expected] of [
      [interval("bca"), bca],
      [interval("percentile"), percentile],
    ] as const) {
      const slack = 0.03 * (expected[1] - expected[0]);
      expect(Math.abs(found.low - expected[0])).toBeLessThan(slack);
      expect(Math.abs(found.high - expected[1])).toBeLessThan(slack);
    }
    expect(interval("bca").high).toBeGreaterThan(interval("percentile").high);
  });
});

it("Min-K% and Min-K%++ are open-unlearning's, which turns the sign", () => {
  const { logits, vocabulary, tokens, results } = golden.language;
  const scores = Float64Array.from(logits);
  const all = logProbabilities(scores, vocabulary);
  const chosen = tokens.map((token, place) => all[place * vocabulary + token] as number);
  for (const { share, ...expected } of results) {
    expect(minK(chosen, { share })).toBeCloseTo(-expected.minK, DIGITS);
    expect(minKPlusPlus(scores, tokens, vocabulary, { share })).toBeCloseTo(-expected.minKPlusPlus, DIGITS);
  }
});

it("linear CKA is the alignment of the centred Gram matrices", () => {
  const { a, widthA, b, widthB, cka } = golden.cka;
  const features = (values: number[], width: number) => ({ values: Float64Array.from(values), width });
  expect(linearCka(features(a, widthA), features(b, widthB))).toBeCloseTo(cka, 9);
});
