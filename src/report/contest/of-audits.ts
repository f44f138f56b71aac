import type { MetricRow } from "../../audit/audit-document.ts";
import { LetheError } from "../../kernel/errors.ts";
import { studentQuantile } from "../../metrics/statistics/student-t.ts";
import { mean, variance } from "../../metrics/statistics/summary.ts";
import type { AuditReport } from "../audit-report-data.ts";
import { countNoun, joinWords } from "../format.ts";
import {
  type Contest,
  type Contestant,
  distanceSum,
  distinctNames,
  type Estimate,
  expectComparable,
  type NamedDocument,
} from "./contest.ts";

type Audit = NamedDocument<AuditReport>;

/**
 * Audits of several methods as one comparison. A distance is that from the mean of the retrained models, in half-widths of the band in which a
 * model passes: up to 1 is inside.
 *
 * @param audits - at least one
 * @throws LETHE_DATA_INCOMPARABLE for audits of other data, models, requests or references
 */
export function contestOfAudits(audits: readonly Audit[]): Contest {
  const withoutReferences = audits.find(({ document }) => document.references === 0);
  if (withoutReferences !== undefined) {
    throw new LetheError(
      "data",
      "DATA_INCOMPARABLE",
      `Expected audits by retrained models, but ${withoutReferences.name} was judged by held-out samples: there is nothing to measure a distance from. Audit it with --reference retrain:8.`,
    );
  }
  // Documents of version 1 have no digests of data and request; where all have them, they decide.
  const isDigested = audits.every(({ document: { digests } }) => digests.data && digests.forget);
  expectComparable(
    audits.map(({ name, document }) => ({
      name,
      document: {
        data: isDigested ? document.digests.data : document.data,
        models: [document.model, document.recipe],
        originals: document.digests.original,
        requests: isDigested
          ? document.digests.forget
          : document.requests.map(({ spec, samples }) => [spec, samples]),
        references: document.digests.retrained,
      },
    })),
  );
  const [{ document: first }] = audits as [Audit];
  const names = distinctNames(
    audits.map(({ name, document }) => ({ name: document.requests.at(-1)?.method ?? "nothing", file: name })),
  );
  const contestants = audits.map(({ document }, at) => contestantOf(document, names[at] as string));
  const common = Object.entries(first.metrics).filter(([id]) =>
    audits.every(({ document }) => id in document.metrics),
  );
  return {
    title: `${joinWords(first.requests.map(({ spec }) => spec))} of ${first.data}, ${first.model}`,
    lead: [
      `${countNoun(audits.length, "audit")} of the same model, request and ${first.digests.retrained.length} retrained references.`,
    ],
    unit: "bands",
    unitNote:
      "1 is the edge of the band in which a model passes, 0 the middle of the retrained models. Intervals are at 95%, over samples and references; those of a mean over figures take all figures to move together, which makes them wide.",
    costNote: "sample gradients as a share of one retraining",
    contestants: contestants.sort((a, b) => placeOf(a) - placeOf(b) || distanceSum(a) - distanceSum(b)),
    figures: common.map(([id, row]) => ({
      id,
      title: row.title,
      unit: row.unit === "share" ? "share" : "number",
      retrained: row.retrained,
      noise: Math.max(
        noiseOf(row, first.digests.retrained.length),
        ...audits.map(({ document }) => samplingOf(document.metrics[id] as MetricRow)),
      ),
    })),
  };
}

const PLACES: Readonly<Record<string, number>> = { pass: 0, refused: 1, fail: 2 };

function placeOf({ verdict = "" }: Contestant): number {
  return PLACES[verdict] ?? 1;
}

function contestantOf({ metrics, verdict, costs = [] }: AuditReport, name: string): Contestant {
  const rows = Object.values(metrics);
  const gradients = (start: string): number | undefined =>
    costs.find(({ what }) => what.startsWith(start))?.gradientEvaluations;
  const [own, retraining] = [gradients("Unlearning"), gradients("Retraining")];
  return {
    name,
    verdict,
    forgetting: meanEstimate(
      rows.filter(({ group }) => group === "removal" || group === "features").map(distanceOf),
    ),
    utility: meanEstimate(rows.filter(({ group }) => group === "utility").map(distanceOf)),
    ...(own === undefined || !retraining ? {} : { cost: own / retraining }),
    values: Object.fromEntries(Object.entries(metrics).map(([id, row]) => [id, row.unlearned])),
  };
}

/** Of one figure, in half-widths of its band on the side the difference lies. */
function distanceOf({ unlearned, retrained, limits, ci }: MetricRow): Estimate {
  const inBands = (difference: number): number => {
    if (difference === 0) return 0;
    const width = difference > 0 ? limits[1] - retrained : retrained - limits[0];
    // A band cut off at 0 or 1 leaves no room on that side, and no model can lie beyond.
    return width > 0 ? Math.abs(difference) / width : 0;
  };
  const ends = ci.map(inBands);
  return {
    value: inBands(unlearned - retrained),
    low: ci[0] <= 0 && ci[1] >= 0 ? 0 : Math.min(...ends),
    high: Math.max(...ends),
  };
}

function meanEstimate(estimates: readonly Estimate[]): Estimate {
  const of = (read: (estimate: Estimate) => number): number => mean(estimates.map(read));
  return { value: of(({ value }) => value), low: of(({ low }) => low), high: of(({ high }) => high) };
}

/** t·s·√2 for the difference of two further retrained models. */
function noiseOf({ references, floor }: MetricRow, count: number): number {
  const models = references?.length ?? count;
  // For normal values |x − mean of the others| is √(2/π)·s·√(K/(K−1)) on average.
  const std =
    references === undefined
      ? (floor * Math.sqrt(Math.PI / 2)) / Math.sqrt(models / Math.max(1, models - 1))
      : Math.sqrt(variance(references));
  return studentQuantile(0.975, Math.max(1, models - 1)) * std * Math.SQRT2;
}

/** What two models may differ by through the draw of samples: of each the half-width of its interval, in squares. */
function samplingOf({ ci }: MetricRow): number {
  return (Math.SQRT2 * (ci[1] - ci[0])) / 2;
}
