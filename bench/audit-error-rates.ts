// How often the audit is wrong: models that forgot nothing (the original, noise on it, a new head on its features) must not pass, models that were
// truly retrained must not fail. Trained models are kept, and each finished audit is written at once, so that a killed run goes on.
//
//   node bench/audit-error-rates.ts [--references 8] [--store .lethe/models]
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type AuditRequest, audit } from "../src/audit/audit.ts";
import type { AuditData } from "../src/audit/audit-sets.ts";
import { failingControls } from "../src/audit/controls.ts";
import { trainModels } from "../src/audit/farm/model-farm.ts";
import { shareSamples } from "../src/audit/farm/shared-samples.ts";
import { type FarmHeader, type ModelSource, openModel } from "../src/audit/farm/training-job.ts";
import { describeMachine } from "../src/cli/machine.ts";
import { modelSizesOf } from "../src/cli/model-argument.ts";
import { packageVersions } from "../src/cli/package-versions.ts";
import { parseForgetSpec } from "../src/data/forget-spec.ts";
import { loadDataset } from "../src/data/index.ts";
import { divideDataset } from "../src/data/parts.ts";
import { resolveForget } from "../src/data/resolve-forget.ts";
import { consume } from "../src/kernel/events.ts";
import { deriveKey, keyFromSeed } from "../src/kernel/key.ts";
import type { ParameterSet } from "../src/kernel/parameters.ts";
import { randomNoise } from "../src/methods/random-noise.ts";
import { clopperPearson } from "../src/metrics/statistics/clopper-pearson.ts";
import { writeFileAtomically } from "../src/storage/atomic-file.ts";
import { type Recipe, recipeSchema } from "../src/training/recipe.ts";

const { values } = parseArgs({
  options: {
    references: { type: "string", default: "8" },
    store: { type: "string", default: ".lethe/models" },
  },
});
const references = Number(values.references);
const store = values.store;
const runtime = { threads: 1, spinning: false };

/** What is trained. Small, so that hundreds of models take minutes; validation samples are held out for the attacks. */
const SETUPS = [
  { data: "digits", samples: undefined, validation: 0.15, model: "mlp:64", epochs: 20 },
  { data: "mnist", samples: 4000, validation: 0.15, model: "mlp:32", epochs: 8 },
] as const;
/** Whole classes leave a mark that an audit can find; a random tenth may leave none, and must then be refused. */
const REQUESTS = ["class:0", "class:2", "class:4", "class:6", "class:8", "random:0.1"] as const;
/** Candidates of each kind for one request. */
const KINDS = { "do-nothing": 1, "random-noise": 2, "head-only": 2, retrain: 6 } as const;

type Kind = keyof typeof KINDS;

interface Case {
  readonly data: string;
  readonly request: string;
  readonly kind: Kind;
  readonly index: number;
  readonly verdict: "pass" | "fail" | "refused";
  readonly reasons: readonly string[];
}

const path = join(import.meta.dirname, `results/audit-error-rates.json`);
const cases: Case[] = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).cases : [];

for (const setup of SETUPS) {
  const dataset = await loadDataset(setup.data);
  const parts = divideDataset(dataset, setup);
  const model: ModelSource = { kind: "ready", text: setup.model, sizes: modelSizesOf(dataset) };
  const recipe = recipeSchema.parse({ epochs: setup.epochs });
  const header: FarmHeader = { data: shareSamples(parts.train), model, recipe };
  const everything = Uint32Array.from(parts.train.labels, (_, position) => position);
  for (const request of REQUESTS) {
    const { forget, retain } = resolveForget(parseForgetSpec(request), parts.train, keyFromSeed(1));
    const data: AuditData = { ...parts, forget, retain };
    const [original] = await train(header, everything, [`original for ${request}`]);
    const common = { data, model, recipe, original: original as ParameterSet };
    for (const kind of Object.keys(KINDS) as Kind[]) {
      for (let index = 0; index < KINDS[kind]; index++) {
        const isDone = cases.some(
          (done) =>
            done.data === setup.data &&
            done.request === request &&
            done.kind === kind &&
            done.index === index,
        );
        if (isDone) continue;
        const unlearned = await candidate(kind, index, header, common);
        const { verdict, reasons } = await consume(
          audit({ ...common, unlearned, references, seed: 1, runtime, farm: { store } }),
        );
        cases.push({ data: setup.data, request, kind, index, verdict, reasons });
        console.log(
          `${setup.data} ${request} ${kind} ${index}: ${verdict} ${verdict === "pass" ? "" : reasons[0]}`,
        );
        writeResult();
      }
    }
  }
}
writeResult();

type Common = Pick<AuditRequest, "data" | "model" | "recipe" | "original">;

async function candidate(
  kind: Kind,
  index: number,
  header: FarmHeader,
  common: Common,
): Promise<ParameterSet> {
  const { data, model, recipe, original } = common;
  const architecture = openModel(model);
  const [forget, retain] = [data.train.subset(data.forget), data.train.subset(data.retain)];
  const key = deriveKey(keyFromSeed("candidates"), kind, index);
  const given = { architecture, weights: original, recipe, forget, retain, key, runtime };
  switch (kind) {
    case "do-nothing":
      return original;
    case "random-noise": {
      // A hint of noise, and enough to cost accuracy.
      const noise = index === 0 ? 0.02 : 0.2;
      return (await consume(randomNoise.run({ ...given, scope: "sample", forgetClasses: [] }, { noise })))
        .weights;
    }
    case "head-only":
      return (await consume(failingControls(given)))["head-only"] as ParameterSet;
    case "retrain": {
      const [weights] = await train(header, data.retain, [`candidate ${index}`]);
      return weights as ParameterSet;
    }
    default:
      return kind satisfies never;
  }
}

function train(
  header: FarmHeader,
  subset: Uint32Array,
  seeds: readonly string[],
): Promise<readonly ParameterSet[]> {
  return consume(
    trainModels(
      header,
      seeds.map((seed) => ({ subset, seed })),
      { store },
    ),
  );
}

function writeResult(): void {
  const recipes: readonly (readonly [string, Recipe])[] = SETUPS.map(({ data, epochs }) => [
    data,
    recipeSchema.parse({ epochs }),
  ]);
  const result = {
    references,
    setups: SETUPS,
    recipes: Object.fromEntries(recipes),
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
  const rows = SETUPS.flatMap(({ data }) =>
    (["class", "random"] as const).flatMap((scope) =>
      (Object.keys(KINDS) as Kind[]).map((kind) => {
        const count = (verdict: Case["verdict"]): number =>
          cases.filter(
            (entry) =>
              entry.data === data &&
              entry.kind === kind &&
              entry.verdict === verdict &&
              entry.request.startsWith(scope),
          ).length;
        return `| ${data} | ${scope} | ${kind} | ${count("pass")} | ${count("fail")} | ${count("refused")} |`;
      }),
    ),
  );
  return [
    `Verdicts of the audit with ${references} retrained references. Only \`retrain\` may pass, and it may not fail.`,
    "",
    "| data | request | candidate | pass | fail | refused |",
    "|---|---|---|---|---|---|",
    ...rows,
    "",
    `Wrongly passed: ${share(ratesOf((kind) => kind !== "retrain").pass)}. Wrongly failed: ${share(ratesOf((kind) => kind === "retrain").fail)}.`,
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
