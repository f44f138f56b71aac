import { LetheError } from "../../kernel/errors.ts";
import { expectFinite, expectSameLength } from "../metric-input.ts";

/** One operating point: everything that scores at least `threshold` is called a member. */
export interface RocPoint {
  readonly falsePositiveRate: number;
  readonly truePositiveRate: number;
  readonly threshold: number;
}

/**
 * The receiver operating characteristic of a score: one point per distinct score, so that equal scores are never split, from
 * (0, 0) at threshold ∞ to (1, 1).
 *
 * @param scores - [count], finite; larger means member
 * @param isMember - [count]; both kinds must occur
 * @throws LETHE_DATA_SHAPE, LETHE_NUMERIC_NOT_FINITE, LETHE_DATA_ONE_CLASS
 */
export function rocCurve(scores: ArrayLike<number>, isMember: ArrayLike<boolean>): readonly RocPoint[] {
  expectSameLength("roc", { scores, isMember });
  expectFinite("roc", "scores", scores);
  const order = Uint32Array.from(scores, (_, index) => index).sort(
    (a, b) => (scores[b] as number) - (scores[a] as number),
  );
  const members = Array.from(isMember).filter(Boolean).length;
  const others = order.length - members;
  if (members === 0 || others === 0) {
    throw new LetheError(
      "data",
      "DATA_ONE_CLASS",
      `Expected scores of members and of non-members for a ROC curve, got ${members} and ${others}.`,
    );
  }
  const points: RocPoint[] = [
    { falsePositiveRate: 0, truePositiveRate: 0, threshold: Number.POSITIVE_INFINITY },
  ];
  let [trueCount, falseCount] = [0, 0];
  order.forEach((row, index) => {
    if (isMember[row]) trueCount++;
    else falseCount++;
    const threshold = scores[row] as number;
    const next = order[index + 1];
    if (next !== undefined && scores[next] === threshold) return;
    points.push({ falsePositiveRate: falseCount / others, truePositiveRate: trueCount / members, threshold });
  });
  return points;
}

/** Area under a curve by the trapezoid rule: P(member scores higher) + ½P(equal). In [0, 1]. */
export function areaUnder(curve: readonly RocPoint[]): number {
  let area = 0;
  for (let index = 1; index < curve.length; index++) {
    const [a, b] = [curve[index - 1] as RocPoint, curve[index] as RocPoint];
    area += ((b.falsePositiveRate - a.falsePositiveRate) * (a.truePositiveRate + b.truePositiveRate)) / 2;
  }
  return area;
}

/**
 * The best true positive rate whose false positive rate is at most `rate`: only thresholds an attacker can really choose, nothing
 * interpolated between them.
 *
 * @param rate - in [0, 1]; below 1/non-members only thresholds above every non-member are left
 */
export function truePositiveRateAt(curve: readonly RocPoint[], rate: number): number {
  return Math.max(
    ...curve
      .filter(({ falsePositiveRate }) => falsePositiveRate <= rate)
      .map(({ truePositiveRate }) => truePositiveRate),
  );
}

/** The best mean of the rates of right answers on members and on non-members, max (TPR + 1 − FPR)/2. In [½, 1]. */
export function balancedAccuracy(curve: readonly RocPoint[]): number {
  return curve.reduce(
    (best, point) => Math.max(best, (1 + point.truePositiveRate - point.falsePositiveRate) / 2),
    1 / 2,
  );
}

/**
 * The curve for a plot with two logarithmic axes: rates below `floor` are drawn at it, and points that then coincide are kept once.
 *
 * @param floor - above 0; the usual choice is 1/(2·non-members), half of the least rate that can be measured
 */
export function logarithmicPoints(
  curve: readonly RocPoint[],
  floor: number,
): readonly (readonly [falsePositiveRate: number, truePositiveRate: number])[] {
  const points = curve.map(
    (point) => [Math.max(floor, point.falsePositiveRate), Math.max(floor, point.truePositiveRate)] as const,
  );
  return points.filter(
    ([x, y], index) => index === 0 || x !== points[index - 1]?.[0] || y !== points[index - 1]?.[1],
  );
}

/** What an attack's scores amount to. */
export interface AttackOutcome {
  readonly auc: number;
  /** At a false positive rate of 1 % and of 0.1 %; `undefined` below 100 and 1,000 non-members, where it cannot be measured. */
  readonly truePositiveRateAt1Percent: number | undefined;
  readonly truePositiveRateAt01Percent: number | undefined;
  readonly balancedAccuracy: number;
  readonly members: number;
  readonly nonMembers: number;
}

/** Sums up the scores of an attack; see {@link rocCurve}. */
export function attackOutcome(scores: ArrayLike<number>, isMember: ArrayLike<boolean>): AttackOutcome {
  const curve = rocCurve(scores, isMember);
  const members = Array.from(isMember).filter(Boolean).length;
  const nonMembers = scores.length - members;
  const at = (rate: number): number | undefined =>
    nonMembers * rate < 1 ? undefined : truePositiveRateAt(curve, rate);
  return {
    auc: areaUnder(curve),
    truePositiveRateAt1Percent: at(0.01),
    truePositiveRateAt01Percent: at(0.001),
    balancedAccuracy: balancedAccuracy(curve),
    members,
    nonMembers,
  };
}
