// What the README and bench/results/comparison.md say of `bench/comparison.ts`, from its results.
import { z } from "zod";
import { mean } from "../src/metrics/statistics/summary.ts";
import { meanComparison } from "../src/planning/comparison/mean-comparison.ts";

const figuresSchema = z.object({
  ua: z.number(),
  ra: z.number(),
  ta: z.number(),
  mia: z.number(),
  gap: z.number(),
  tow: z.number(),
  towMia: z.number(),
  kl: z.number(),
  worstGroup: z.number().exactOptional(),
});

/** What is taken from a `bench/results/comparison/CASE.json`. */
export const comparisonSchema = z.object({
  command: z.string(),
  commit: z.string(),
  case: z.object({ seeds: z.number(), trials: z.number(), references: z.number() }),
  counts: z.object({ forget: z.number(), retain: z.number() }),
  results: z.array(
    z.object({
      method: z.string(),
      figures: figuresSchema,
      timeShare: z.number(),
      gradientShare: z.number(),
      preparation: z.object({ bytes: z.number(), timeShare: z.number() }).optional(),
    }),
  ),
  failures: z.array(z.object({ method: z.string(), message: z.string() })),
  references: z.array(z.object({ original: figuresSchema, retrained: figuresSchema })),
  klom: z.record(z.string(), z.object({ mean: z.number(), floor: z.number() })),
  machine: z.object({ processor: z.string(), cores: z.number() }),
});

type Figures = z.output<typeof figuresSchema>;
type Case = z.output<typeof comparisonSchema>;

/** A model's means over the seeds of a case. */
interface Line {
  readonly name: string;
  readonly figures: Figures;
  readonly klom: number | undefined;
  readonly time?: number;
  readonly gradients?: number;
  readonly first?: number;
  readonly bytes?: number;
}

/** A third retrained model: no method comes nearer but by luck. */
const FLOOR = "retrain";

function linesOf({ results, klom }: Case): readonly Line[] {
  return [...new Set(results.map(({ method }) => method))]
    .map((name): Line => {
      const own = results.filter(({ method }) => method === name);
      const share = (read: (row: (typeof own)[number]) => number): number => mean(own.map(read));
      return {
        name,
        figures: meanComparison(own.map(({ figures }) => figures)),
        klom: klom[name]?.mean,
        time: share(({ timeShare }) => timeShare),
        gradients: share(({ gradientShare }) => gradientShare),
        first: share(({ timeShare, preparation }) => timeShare + (preparation?.timeShare ?? 0)),
        bytes: share(({ preparation }) => preparation?.bytes ?? 0),
      };
    })
    .sort((a, b) => a.figures.gap - b.figures.gap);
}

/** The README's table: for every method and case, the average gap to retraining in points. */
export function comparisonSummary(cases: ReadonlyMap<string, Case>): string {
  const ids = [...cases.keys()];
  const lines = new Map([...cases].map(([id, entry]) => [id, linesOf(entry)]));
  const gapOf = (id: string, method: string): number | undefined =>
    lines.get(id)?.find(({ name }) => name === method)?.figures.gap;
  const names = [...new Set([...lines.values()].flat().map(({ name }) => name))].filter(
    (name) => name !== FLOOR,
  );
  const nearest = new Map(
    ids.map((id) => [
      id,
      (lines.get(id) ?? [])
        .filter(({ name }) => name !== FLOOR)
        .slice(0, 3)
        .map(({ name }) => name),
    ]),
  );
  const cell = (id: string, name: string): string => {
    const gap = gapOf(id, name);
    if (gap === undefined) return "–";
    const text = (100 * gap).toFixed(1);
    return nearest.get(id)?.includes(name) ? `**${text}**` : text;
  };
  /** By the mean over the cases a method could serve. */
  const overall = (name: string): number => mean(ids.flatMap((id) => gapOf(id, name) ?? []));
  const row = (name: string, cells: readonly string[]): string => `| ${name} | ${cells.join(" | ")} |`;
  return [
    row(
      "method",
      ids.map((id) => id.replaceAll("-", " ")),
    ),
    `|---|${ids.map(() => "---:|").join("")}`,
    row(
      "*retrained again*",
      ids.map((id) => cell(id, FLOOR)),
    ),
    ...names
      .toSorted((a, b) => overall(a) - overall(b))
      .map((name) =>
        row(
          `\`${name}\``,
          ids.map((id) => cell(id, name)),
        ),
      ),
    "",
  ].join("\n");
}

/** bench/results/comparison.md: every figure of every case. */
export function comparisonPage(cases: ReadonlyMap<string, Case>): string {
  const [any] = cases.values();
  return `# Every method beside retraining

Written by \`tools/generate.ts\` from \`bench/results/comparison/\`, which \`node bench/comparison.ts\` writes. UA is the error on the forget
samples, RA and TA the accuracy on retain and test samples (of the kept classes where a class is forgotten), MIA the AUC of the loss
attack; gap is the mean distance of these four to the retrained model's. KLoM is that of few models: its floor is what retrained models
read among themselves. Time and gradients are shares of one retraining, in processor time on one thread; “first” has the preparation in
it. Means over seeds; settings were chosen on validation data in the first seed, with equal numbers of trials.

Machine: ${any === undefined ? "–" : `${any.machine.processor}, ${any.machine.cores} cores`}.

${[...cases].map(([id, entry]) => sectionOf(id, entry)).join("\n")}`;
}

function sectionOf(id: string, entry: Case): string {
  const { counts, case: settings, references, klom, failures } = entry;
  const [someKlom] = Object.values(klom);
  const hasGroups = entry.results.some(({ figures }) => figures.worstGroup !== undefined);
  const cells = ({ figures, klom: divergence, ...cost }: Line): string[] => [
    ...(["ua", "ra", "ta", "mia", "gap", "tow", "towMia", "kl"] as const).map((name) =>
      figures[name].toFixed(3),
    ),
    divergence?.toFixed(2) ?? "–",
    ...(hasGroups ? [figures.worstGroup?.toFixed(3) ?? "–"] : []),
    ...[cost.time, cost.gradients, cost.first].map((share) =>
      share === undefined ? "–" : `${(100 * share).toFixed(0)} %`,
    ),
    cost.bytes ? `${(cost.bytes / 1e6).toFixed(1)} MB` : "–",
  ];
  const row = (line: Line, name = `\`${line.name}\``): string => `| ${name} | ${cells(line).join(" | ")} |`;
  const lines = linesOf(entry);
  const header = [
    "UA",
    "RA",
    "TA",
    "MIA",
    "gap",
    "ToW",
    "ToW-MIA",
    "KL",
    "KLoM",
    ...(hasGroups ? ["worst group"] : []),
    "time",
    "gradients",
    "first",
    "stored",
  ];
  return `## ${id}

\`${entry.command}\` at ${entry.commit}: ${counts.forget} samples forgotten, ${counts.retain} kept; ${settings.seeds} ${settings.seeds === 1 ? "seed" : "seeds"}, ${settings.trials} ${settings.trials === 1 ? "trial" : "trials"}, KLoM floor ${(someKlom?.floor ?? Number.NaN).toFixed(2)}.

| model | ${header.join(" | ")} |
|---|${header.map(() => "---:|").join("")}
${[
  row(
    {
      name: "trained",
      figures: meanComparison(references.map(({ original }) => original)),
      klom: klom.trained?.mean,
    },
    "*trained*",
  ),
  row(
    {
      name: "retrained",
      figures: meanComparison(references.map(({ retrained }) => retrained)),
      klom: undefined,
    },
    "*retrained*",
  ),
  ...lines.filter(({ name }) => name === FLOOR).map((line) => row(line, "*retrained again*")),
  ...lines.filter(({ name }) => name !== FLOOR).map((line) => row(line)),
].join("\n")}
${failures.map(({ method, message }) => `\n- \`${method}\` did not finish: ${message}`).join("")}
`;
}
