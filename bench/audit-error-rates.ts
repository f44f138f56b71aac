// How often the audit is wrong: models that forgot nothing (the original, noise on it, a new head on its features) must not pass, models that were
// truly retrained must not fail. Cases of one request draw their references from one pool of trained models. Trained models are kept, and each
// finished case is written at once, so that a killed run goes on.
//
//   node bench/audit-error-rates.ts [--store .lethe/models] [--workers 1]
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { drawAuditSets } from "../src/audit/audit-sets.ts";
import { failingControls } from "../src/audit/controls.ts";
import { trainModels } from "../src/audit/farm/model-farm.ts";
import { shareSamples } from "../src/audit/farm/shared-samples.ts";
import { type FarmHeader, openModel } from "../src/audit/farm/training-job.ts";
import { figuresOf } from "../src/audit/figures.ts";
import { createScorer, type ScoredModel, type Scorer } from "../src/audit/scored-model.ts";
import { type AuditVerdict, FAILING_CONTROLS, judgeAudit } from "../src/audit/verdict.ts";
import { describeMachine } from "../src/cli/machine.ts";
import { modelSizesOf } from "../src/cli/model-argument.ts";
import { packageVersions } from "../src/cli/package-versions.ts";
import { parseForgetSpec } from "../src/data/forget-spec.ts";
import { loadDataset } from "../src/data/index.ts";
import { type DataParts, divideDataset } from "../src/data/parts.ts";
import { resolveForget } from "../src/data/resolve-forget.ts";
import { consume } from "../src/kernel/events.ts";
import { deriveKey, keyFromSeed, randomStream } from "../src/kernel/key.ts";
import type { ParameterSet } from "../src/kernel/parameters.ts";
import { randomNoise } from "../src/methods/random-noise.ts";
import { clopperPearson } from "../src/metrics/statistics/clopper-pearson.ts";
import { writeFileAtomically } from "../src/storage/atomic-file.ts";
import { recipeSchema } from "../src/training/recipe.ts";

const { values } = parseArgs({
  options: {
    store: { type: "string", default: ".lethe/models" },
    workers: { type: "string", default: "1" },
  },
});
const farm = { store: values.store, workers: Number(values.workers) };
const runtime = { threads: 1, spinning: false };

/** What is trained. Small, so that hundreds of models take minutes; validation samples are held out for the attacks. */
const SETUPS = [
  { data: "digits", samples: undefined, validation: 0.15, model: "mlp:64", epochs: 20 },
  { data: "mnist", samples: 4000, validation: 0.15, model: "mlp:32", epochs: 8 },
] as const;
/** Whole classes leave a mark that few references show; a random tenth leaves little, and must be refused where they do not show it. */
const CLASSES = ["class:0", "class:2", "class:4", "class:6", "class:8"] as const;
const RUNS = [
  { request: "random:0.1", references: 8 },
  { request: "random:0.1", references: 16 },
  ...CLASSES.map((request) => ({ request, references: 8 })),
] as const;
/** Originals of a run; every one is a case of each kind that forgot nothing. */
const ORIGINALS = 8;
/** Deviation of the noise beside nothing: a hint, and enough to cost accuracy. */
const NOISE = { "random-noise, little": 0.02, "random-noise, much": 0.2 } as const;
/** Truly retrained candidates of a run. */
const RETRAINED = 10;
/** Models the references of a case are drawn from, without the forget samples and with them. */
const POOL = 24;

type Kind = "do-nothing" | keyof typeof NOISE | "head-only" | "retrain";
const KINDS: readonly Kind[] = [
  "do-nothing",
  "random-noise, little",
  "random-noise, much",
  "head-only",
  "retrain",
];

interface Case {
  readonly data: string;
  readonly request: string;
  readonly references: number;
  readonly kind: Kind;
  readonly index: number;
  readonly verdict: AuditVerdict["verdict"];
  readonly reasons: readonly string[];
}

const path = join(import.meta.dirname, "results/audit-error-rates.json");
const cases: Case[] = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).cases : [];

for (const setup of SETUPS) {
  const dataset = await loadDataset(setup.data);
  const parts = divideDataset(dataset, setup);
  const header: FarmHeader = {
    data: shareSamples(parts.train),
    model: { kind: "ready", text: setup.model, sizes: modelSizesOf(dataset) },
    recipe: recipeSchema.parse({ epochs: setup.epochs }),
  };
  const everything = Uint32Array.from(parts.train.labels, (_, position) => position);
  const whole = await train(header, everything, "in", POOL + ORIGINALS);
  for (const run of RUNS) await judgeRun(setup.data, parts, header, whole, run);
}
writeResult();

/** Judges all candidates of one request with so many references. */
async function judgeRun(
  data: string,
  parts: DataParts,
  header: FarmHeader,
  whole: readonly ParameterSet[],
  { request, references }: (typeof RUNS)[number],
): Promise<void> {
  const { forget, retain } = resolveForget(parseForgetSpec(request), parts.train, keyFromSeed(1));
  const wanted = KINDS.flatMap((kind) =>
    Array.from({ length: kind === "retrain" ? RETRAINED : ORIGINALS }, (_, index) => ({ kind, index })),
  ).filter(
    ({ kind, index }) =>
      !cases.some(
        (done) =>
          done.data === data &&
          done.request === request &&
          done.references === references &&
          done.kind === kind &&
          done.index === index,
      ),
  );
  if (wanted.length === 0) return;
  const architecture = openModel(header.model);
  const scorer = await createScorer(architecture, drawAuditSets({ ...parts, forget, retain }), runtime);
  const without = await scoreAll(scorer, await train(header, retain, "out", POOL + RETRAINED));
  const within = await scoreAll(scorer, whole);
  const given = (original: ParameterSet, key: string, index: number) => ({
    architecture,
    weights: original,
    recipe: header.recipe,
    forget: parts.train.subset(forget),
    retain: parts.train.subset(retain),
    key: deriveKey(keyFromSeed(key), request, index),
    runtime,
  });
  const candidate = async (kind: Kind, index: number): Promise<ScoredModel> => {
    if (kind === "retrain") return without[POOL + index] as ScoredModel;
    if (kind === "do-nothing") return within[POOL + index] as ScoredModel;
    const from = given(whole[POOL + index] as ParameterSet, "candidates", index);
    if (kind === "head-only") {
      return scorer.score((await consume(failingControls(from)))["head-only"] as ParameterSet);
    }
    const noisy = randomNoise.run({ ...from, scope: "sample", forgetClasses: [] }, { noise: NOISE[kind] });
    return scorer.score((await consume(noisy)).weights);
  };
  const controlsOf = new Map<number, Record<string, ScoredModel>>();
  for (const { kind, index } of wanted) {
    const at = index % ORIGINALS;
    const controls = controlsOf.get(at) ?? {};
    if (!controlsOf.has(at)) {
      const made = await consume(failingControls(given(whole[POOL + at] as ParameterSet, "controls", at)));
      for (const id of Object.keys(FAILING_CONTROLS)) {
        if (made[id] !== undefined) controls[id] = await scorer.score(made[id]);
      }
      controlsOf.set(at, controls);
    }
    const key = deriveKey(keyFromSeed("references"), data, request, references, kind, index);
    const drawn = (pool: readonly ScoredModel[], side: string): readonly ScoredModel[] =>
      [...randomStream(deriveKey(key, side)).permutation(POOL).slice(0, references)].map(
        (position) => pool[position] as ScoredModel,
      );
    const figures = figuresOf(
      {
        original: within[POOL + at] as ScoredModel,
        unlearned: await candidate(kind, index),
        retrained: drawn(without, "without"),
        trainedWith: drawn(within, "within"),
        controls,
      },
      key,
    );
    const { verdict, reasons } = judgeAudit(figures);
    cases.push({ data, request, references, kind, index, verdict, reasons });
    console.log(
      `${data} ${request} ${references} ${kind} ${index}: ${verdict} ${verdict === "pass" ? "" : reasons[0]}`,
    );
    writeResult();
  }
  await scorer[Symbol.asyncDispose]();
}

function train(
  header: FarmHeader,
  subset: Uint32Array,
  name: string,
  count: number,
): Promise<readonly ParameterSet[]> {
  const jobs = Array.from({ length: count }, (_, index) => ({ subset, seed: `${name} ${index}` }));
  return consume(trainModels(header, jobs, farm));
}

async function scoreAll(scorer: Scorer, models: readonly ParameterSet[]): Promise<readonly ScoredModel[]> {
  const scored: ScoredModel[] = [];
  for (const weights of models) scored.push(await scorer.score(weights));
  return scored;
}

function writeResult(): void {
  const result = {
    setups: SETUPS,
    runs: RUNS,
    pool: { originals: ORIGINALS, retrained: RETRAINED, references: POOL },
    recipes: Object.fromEntries(SETUPS.map(({ data, epochs }) => [data, recipeSchema.parse({ epochs })])),
    machine: describeMachine(packageVersions()),
    rates: {
      forgotNothing: ratesOf((kind) => kind !== "retrain"),
      retrained: ratesOf((kind) => kind === "retrain"),
    },
    cases,
  };
  writeFileAtomically(path, `${JSON.stringify(result, undefined, 1)}\n`);
  writeFileAtomically(path.replace(".json", ".md"), tableOf());
}

/** Shares of verdicts among the candidates of some kinds, with exact 95 % intervals. */
function ratesOf(isWanted: (kind: Kind) => boolean) {
  const wanted = cases.filter(({ kind }) => isWanted(kind));
  const rate = (verdict: Case["verdict"]) => {
    const count = wanted.filter((entry) => entry.verdict === verdict).length;
    return { count, of: wanted.length, ...(wanted.length === 0 ? {} : clopperPearson(count, wanted.length)) };
  };
  return { pass: rate("pass"), fail: rate("fail"), refused: rate("refused") };
}

function tableOf(): string {
  const scopes = [
    { name: "class", isOf: ({ request }: Case) => request.startsWith("class"), references: 8 },
    { name: "random:0.1", isOf: ({ request }: Case) => request.startsWith("random"), references: 8 },
    { name: "random:0.1", isOf: ({ request }: Case) => request.startsWith("random"), references: 16 },
  ];
  const rows = SETUPS.flatMap(({ data }) =>
    scopes.flatMap(({ name, isOf, references }) =>
      KINDS.map((kind) => {
        const count = (verdict: Case["verdict"]): number =>
          cases.filter(
            (entry) =>
              entry.data === data &&
              entry.kind === kind &&
              entry.references === references &&
              entry.verdict === verdict &&
              isOf(entry),
          ).length;
        return `| ${data} | ${name} | ${references} | ${kind} | ${count("pass")} | ${count("fail")} | ${count("refused")} |`;
      }),
    ),
  );
  return [
    "Verdicts of the audit, with so many references retrained without the forget samples and as many trained with them. Only `retrain` may pass, " +
      "and it may not fail.",
    "",
    "| data | request | references | candidate | pass | fail | refused |",
    "|---|---|---|---|---|---|---|",
    ...rows,
    "",
    `Wrongly passed: ${share(ratesOf((kind) => kind !== "retrain").pass)}. Wrongly failed: ${share(ratesOf((kind) => kind === "retrain").fail)}.`,
    "",
    `The cases are not independent: those of one request share ${ORIGINALS} originals, and draw their references from pools of ${POOL} models each; ` +
      "the intervals are those of independent cases.",
    "",
  ].join("\n");
}

/** A count with its exact 95 % interval. */
function share(rate: {
  readonly count: number;
  readonly of: number;
  readonly low?: number;
  readonly high?: number;
}): string {
  const percent = (value = Number.NaN): string => `${(100 * value).toFixed(1)} %`;
  return `${rate.count} of ${rate.of} (95 % interval ${percent(rate.low)} to ${percent(rate.high)})`;
}
