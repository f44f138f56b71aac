import { mean, squaredDeviations } from "../../metrics/statistics/summary.ts";
import { type Evidence, membershipRanks } from "../measures/membership-ranks.ts";

/** How a model treats suspects and their peers, class by class. */
export interface Contrast {
  readonly value: number;
  /** Standard error over both draws of samples; at least one sample of the smaller side. */
  readonly error: number;
}

/**
 * The chance that a suspect has more of something than a peer of its class, Σ_c w_c P(x > y | c) with ties counted half, w_c the
 * suspects' share of class c: the area under an attack's curve at the suspects' mix of classes, ½ where the two are alike.
 *
 * @param peers - at least one of each suspect's class; suspects without any are left out
 * @returns in [0, 1]; its error is DeLong's, with one variance for all classes
 * @see E. R. DeLong et al. 1988, Comparing the areas under two or more correlated receiver operating characteristic curves
 */
export function rankContrast(suspects: Evidence, peers: Evidence): Contrast {
  const among = (own: Evidence, others: Evidence): Grouped =>
    grouped(
      membershipRanks(own, others),
      own.labels.filter((label) => others.labels.includes(label)),
    );
  const [ranks, reverse] = [among(suspects, peers), among(peers, suspects)];
  return { value: weightedMean(ranks, ranks), error: errorOf(ranks, reverse) };
}

/**
 * The difference of two means at the suspects' mix of classes, Σ_c w_c (x̄_c − ȳ_c): 0 where the two are alike.
 *
 * @param peers - at least one of each suspect's class; suspects without any are left out
 */
export function meanContrast(suspects: Evidence, peers: Evidence): Contrast {
  const all = grouped(peers.scores, peers.labels);
  const own = new Map([...grouped(suspects.scores, suspects.labels)].filter(([label]) => all.has(label)));
  const others = new Map([...all].filter(([label]) => own.has(label)));
  return { value: weightedMean(own, own) - weightedMean(others, own), error: errorOf(own, others) };
}

/** Values by class. */
type Grouped = ReadonlyMap<number, readonly number[]>;

function grouped(values: Float64Array, labels: Int32Array): Grouped {
  const groups = new Map<number, number[]>();
  values.forEach((value, row) => {
    const label = labels[row] as number;
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [value]);
    else group.push(value);
  });
  return groups;
}

function countOf(groups: Grouped): number {
  return [...groups.values()].reduce((sum, { length }) => sum + length, 0);
}

/** Means of classes, each as often as in `mix`. */
function weightedMean(groups: Grouped, mix: Grouped): number {
  const count = countOf(mix);
  return [...mix].reduce(
    (sum, [label, { length }]) => sum + (length / count) * mean(groups.get(label) ?? []),
    0,
  );
}

/** √(Σ_c w_c² (s²_x / n_c + s²_y / m_c)), s² pooled within classes: some have a handful of samples. */
function errorOf(suspects: Grouped, peers: Grouped): number {
  const [count, peerCount] = [countOf(suspects), countOf(peers)];
  const [own, other] = [pooledVariance(suspects), pooledVariance(peers)];
  const squared = [...suspects].reduce((sum, [label, { length }]) => {
    const partners = peers.get(label)?.length ?? 1;
    return sum + (length / count) ** 2 * (own / length + other / partners);
  }, 0);
  return Math.max(Math.sqrt(squared), 1 / Math.min(count, peerCount));
}

function pooledVariance(groups: Grouped): number {
  const sum = [...groups.values()].reduce((total, group) => total + squaredDeviations(group), 0);
  return sum / Math.max(1, countOf(groups) - groups.size);
}
