import { z } from "zod";
import { LetheError } from "../../kernel/errors.ts";
import { studentQuantile } from "../../metrics/statistics/student-t.ts";
import { mean, variance } from "../../metrics/statistics/summary.ts";
import { countNoun } from "../format.ts";
import {
  type Contest,
  type Contestant,
  distanceSum,
  distinctNames,
  type Estimate,
  expectComparable,
  type NamedDocument,
} from "./contest.ts";

const figures = z.looseObject({ ua: z.number(), ra: z.number(), ta: z.number(), mia: z.number() });

/** What is read of a document of `lethe bench methods`, of any version: earlier ones hold a second retrained model as `control`, later ones as a method. */
const comparisonSchema = z.object({
  case: z.looseObject({ data: z.string(), model: z.string(), forget: z.string(), seeds: z.int() }),
  counts: z.object({ forget: z.int(), retain: z.int() }),
  results: z.array(
    z.object({
      method: z.string(),
      seed: z.int(),
      figures,
      timeShare: z.number(),
      gradientShare: z.number(),
    }),
  ),
  references: z.array(
    z.object({ seed: z.int(), original: figures, retrained: figures, control: figures.optional() }),
  ),
});

/** A comparison as it is read. */
export type ComparisonInput = z.output<typeof comparisonSchema>;

/** Retraining once more stands among the methods of later versions: it says what retrained models differ by. */
const AGAIN = "retrain";
const FIGURES = {
  ua: "Error on the forgotten samples",
  mia: "Membership attack by loss (AUC)",
  ra: "Accuracy on the retained samples",
  ta: "Accuracy on test samples",
} as const;
type FigureId = keyof typeof FIGURES;
const FORGETTING: readonly FigureId[] = ["ua", "mia"];
const UTILITY: readonly FigureId[] = ["ra", "ta"];

/**
 * Reads a document of `lethe bench methods`.
 *
 * @throws LETHE_DATA_REPORT
 */
export function parseComparison(document: unknown, name: string): ComparisonInput {
  const parsed = comparisonSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  throw new LetheError(
    "data",
    "DATA_REPORT",
    `Expected a document of \`lethe audit\` or \`lethe bench methods\` in ${name}, got one that is neither:\n${z.prettifyError(parsed.error)}`,
    { cause: parsed.error },
  );
}

/**
 * Comparisons of methods as one. A distance is that from the retrained model of the same seed, in points.
 *
 * @param comparisons - at least one
 * @throws LETHE_DATA_INCOMPARABLE for other cases or other retrained models
 */
export function contestOfComparisons(comparisons: readonly NamedDocument<ComparisonInput>[]): Contest {
  expectComparable(
    comparisons.map(({ name, document }) => {
      const { seeds: _, trials: __, ...setting } = document.case;
      return {
        name,
        document: {
          cases: setting,
          requests: document.counts,
          references: document.references.map(({ retrained }) => retrained),
        },
      };
    }),
  );
  const [first] = comparisons as [NamedDocument<ComparisonInput>];
  const { data, model, forget } = first.document.case;
  const entries = comparisons.flatMap(({ name, document }) =>
    [...new Set(document.results.map(({ method }) => method))]
      .filter((method) => method !== AGAIN)
      .map((method) => ({ name: method, file: name, document })),
  );
  const names = distinctNames(entries);
  const noise = noiseOf(first.document);
  const seeds = first.document.references.length;
  return {
    title: `${forget} of ${data}, ${model}`,
    lead: [
      `${countNoun(first.document.counts.forget, "sample")} to forget, ${countNoun(first.document.counts.retain, "sample")} to keep; each method over ${countNoun(seeds, "seed")}, compared with the retrained model of the same seed.`,
      ...(seeds < 2 ? ["With one seed there are no intervals: a ranking of one draw."] : []),
    ],
    unit: "points",
    unitNote: `Mean absolute difference from the retrained model: of error and attack on the forgotten samples (forgetting), of accuracy on retained and test samples (use). Intervals are at 95%, over seeds (Student’s t).`,
    costNote: "time as a share of one retraining, without preparations",
    contestants: entries
      .map(({ name: method, document }, at) => contestantOf(document, method, names[at] as string))
      .sort((a, b) => distanceSum(a) - distanceSum(b)),
    figures: (Object.keys(FIGURES) as FigureId[]).map((id) => ({
      id,
      title: FIGURES[id],
      unit: "share",
      retrained: mean(first.document.references.map(({ retrained }) => retrained[id])),
      noise: noise[id],
    })),
  };
}

function contestantOf({ results, references }: ComparisonInput, method: string, name: string): Contestant {
  const rows = results.filter((row) => row.method === method);
  const distance = (ids: readonly FigureId[]): Estimate =>
    overSeeds(
      rows.map((row) => {
        const reference = references.find(({ seed }) => seed === row.seed);
        return (
          100 * mean(ids.map((id) => Math.abs(row.figures[id] - (reference?.retrained[id] ?? Number.NaN))))
        );
      }),
    );
  return {
    name,
    forgetting: distance(FORGETTING),
    utility: distance(UTILITY),
    cost: mean(rows.map(({ timeShare }) => timeShare)),
    values: Object.fromEntries(
      (Object.keys(FIGURES) as FigureId[]).map((id) => [id, mean(rows.map((row) => row.figures[id]))]),
    ),
  };
}

function overSeeds(values: readonly number[]): Estimate {
  const value = mean(values);
  if (values.length < 2) return { value, low: value, high: value };
  const half = studentQuantile(0.975, values.length - 1) * Math.sqrt(variance(values) / values.length);
  return { value, low: Math.max(0, value - half), high: value + half };
}

/** Root mean square difference of two retrained models over seeds, times Student's quantile, for means over as many seeds. */
function noiseOf({ references, results }: ComparisonInput): Readonly<Record<FigureId, number>> {
  const pairs = references.flatMap(({ seed, retrained, control }) => {
    const again = control ?? results.find((row) => row.method === AGAIN && row.seed === seed)?.figures;
    return again === undefined ? [] : [{ retrained, again }];
  });
  const of = (id: FigureId): number => {
    const squares = pairs.map(({ retrained, again }) => (again[id] - retrained[id]) ** 2);
    if (squares.length === 0) return Number.NaN;
    return (studentQuantile(0.975, squares.length) * Math.sqrt(mean(squares))) / Math.sqrt(squares.length);
  };
  return { ua: of("ua"), mia: of("mia"), ra: of("ra"), ta: of("ta") };
}
