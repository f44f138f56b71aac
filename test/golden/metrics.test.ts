import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { keyFromSeed } from "../../src/kernel/key.ts";
import { fitLogisticLine } from "../../src/metrics/attacks/logistic-regression.ts";
import { type MembershipFeature, membershipFeatures } from "../../src/metrics/attacks/membership-features.ts";
import { fitSupportVectors } from "../../src/metrics/attacks/support-vector-classifier.ts";
import { svcMembership } from "../../src/metrics/attacks/svc-membership.ts";
import { klom } from "../../src/metrics/klom.ts";
import { margins } from "../../src/metrics/margins.ts";
import type { ScoredSamples } from "../../src/metrics/scored-samples.ts";
import { areaUnder, rocCurve } from "../../src/metrics/statistics/roc.ts";

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
