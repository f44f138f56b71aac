// Unlearning a part of one small group: coloured digits whose colour tells about the label, 5 % of which are labelled 1 and red.
// Half or nine tenths of those are forgotten by MIU and by other methods, with and without REWEIGHT; each model is held against
// retraining with REWEIGHT. Writes bench/results/miu.json after every model, and leaves out the models that it holds.
//
//   node bench/methods/miu.ts [--seeds 1,2,3] [--fractions 0.5,0.9]
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine } from "../../src/cli/machine.ts";
import { packageVersions } from "../../src/cli/package-versions.ts";
import type { Samples } from "../../src/data/dataset.ts";
import { loadDataset } from "../../src/data/index.ts";
import { consume } from "../../src/kernel/events.ts";
import { deriveKey, type Key, keyFromSeed } from "../../src/kernel/key.ts";
import type { ParameterSet } from "../../src/kernel/parameters.ts";
import { findMethod, methods } from "../../src/methods/index.ts";
import { accuracy } from "../../src/metrics/accuracy.ts";
import { svcMembership } from "../../src/metrics/attacks/svc-membership.ts";
import { predictedClasses } from "../../src/metrics/predictions.ts";
import { cnn } from "../../src/models/cnn.ts";
import { writeFileAtomically } from "../../src/storage/atomic-file.ts";
import { createPredictor } from "../../src/training/predictor.ts";
import { recipeSchema, trainByRecipe } from "../../src/training/recipe.ts";
import { colouredDigits } from "./coloured-digits.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1,2,3" },
    fractions: { type: "string", default: "0.5,0.9" },
  },
});
const PATH = join(import.meta.dirname, "../results/miu.json");
const RUNTIME = { threads: 1, spinning: false } as const;
const RECIPE = recipeSchema.parse({ epochs: 6, learningRate: 0.03, schedule: { id: "cosine" } });
/** By (label, colour): 5 % are labelled 1 and red. */
const TRAINING_GROUPS = [1900, 1900, 300, 1900] as const;
const HOLDOUT_GROUPS = [475, 475, 75, 475] as const;
const CLASSES = 2;
const architecture = cnn([2, 28, 28], CLASSES, {
  id: "coloured-digits",
  blocks: [
    { channels: 8, kernel: 5, stride: 2, padding: 2 },
    { channels: 16, kernel: 5, stride: 2, padding: 2 },
  ],
  hidden: 64,
});
const reweighted = (inner: string, settings: Record<string, unknown> = {}) => ({
  method: "reweight",
  settings: { inner, settings },
});
/** From its own grid: with its defaults the few forget samples, met again and again, end every other knowledge. */
const GENTLE = { retainWeight: 0.995, learningRate: 0.003 };
/** What every model is held against. */
const REFERENCE = "retrain+rw";
const VARIANTS: Readonly<Record<string, { method: string; settings?: Record<string, unknown> }>> = {
  [REFERENCE]: reweighted("retrain"),
  original: { method: "do-nothing" },
  miu: { method: "miu" },
  retrain: { method: "retrain" },
  "fine-tune": { method: "fine-tune" },
  "fine-tune+rw": reweighted("fine-tune"),
  "neg-grad-plus": { method: "neg-grad-plus", settings: GENTLE },
  "neg-grad-plus+rw": reweighted("neg-grad-plus", GENTLE),
  scrub: { method: "scrub" },
  "scrub+rw": reweighted("scrub"),
  "miu-no-reweight": { method: "miu", settings: { reweight: false } },
  "miu-no-alignment": { method: "miu", settings: { lambda: 0 } },
  "miu-no-forgetting": { method: "miu", settings: { forgettingEpochs: 0 } },
};

/** Percentages: accuracies, MIA-efficacy, equalised odds (label-wise mean of differences between colours), group accuracy. */
interface Figures {
  readonly ra: number;
  readonly ua: number;
  readonly ta: number;
  readonly mia: number;
  readonly eo: number;
  readonly ga: number;
}
interface Row extends Figures {
  readonly seed: number;
  readonly fraction: number;
  readonly model: string;
  readonly seconds: number;
}

const digits = await loadDataset("mnist");
const rows: Row[] = existsSync(PATH) ? JSON.parse(readFileSync(PATH, "utf8")).rows : [];
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
const predictor = await createPredictor(architecture, RUNTIME);
for (const seed of values.seeds.split(",").map(Number)) {
  for (const fraction of values.fractions.split(",").map(Number)) await runCell(seed, fraction);
}
await predictor[Symbol.asyncDispose]();

async function runCell(seed: number, fraction: number): Promise<void> {
  const key = deriveKey(keyFromSeed(seed), "coloured digits");
  const train = colouredDigits(digits.train, TRAINING_GROUPS, key, "train");
  // Non-members for the attack are no samples that measure accuracy: the odd ones of the test part.
  const [even, odd] = [0, 1].map((rest) =>
    digits.test.subset(positionsOf(digits.test, (position) => position % 2 === rest)),
  ) as [Samples, Samples];
  const test = colouredDigits(even, [500, 500, 500, 500], key, "test");
  const holdout = colouredDigits(odd, HOLDOUT_GROUPS, key, "holdout");
  const small = positionsOf(
    train,
    (position) => train.labels[position] === 1 && train.groups(position).colour === "red",
  );
  const removed = new Set(small.subarray(0, Math.round(fraction * small.length)));
  const forget = train.subset(positionsOf(train, (position) => removed.has(position)));
  const retain = train.subset(positionsOf(train, (position) => !removed.has(position)));
  const { weights } = await consume(
    trainByRecipe(RECIPE, { architecture, samples: train, key, runtime: RUNTIME }),
  );
  const request = {
    architecture,
    weights,
    scope: "group",
    forgetClasses: [],
    recipe: RECIPE,
    key: deriveKey(key, "unlearn"),
    runtime: RUNTIME,
    methods,
    forget,
    retain,
  } as const;
  for (const [model, { method, settings }] of Object.entries(VARIANTS)) {
    if (rows.some((row) => row.seed === seed && row.fraction === fraction && row.model === model)) continue;
    const started = performance.now();
    const outcome = await consume(findMethod(method).run(request, settings));
    const seconds = (performance.now() - started) / 1000;
    const figures = await measure(outcome.weights, { forget, retain, test, holdout }, key);
    rows.push({ seed, fraction, model, ...figures, seconds });
    console.log(seed, fraction, model, figures, seconds);
    save();
  }
}

function save(): void {
  const withGaps = rows.map((row) => {
    const isReference = ({ seed, fraction, model }: Row): boolean =>
      seed === row.seed && fraction === row.fraction && model === REFERENCE;
    const reference = rows.find(isReference);
    return reference === undefined ? row : { ...row, gap: gapOf(row, reference) };
  });
  const document = {
    command: "node bench/methods/miu.ts",
    commit,
    machine: describeMachine(packageVersions()),
    training: { groups: TRAINING_GROUPS, recipe: RECIPE },
    rows: withGaps,
  };
  writeFileAtomically(PATH, `${JSON.stringify(document, undefined, 1)}\n`);
}

async function measure(
  model: ParameterSet,
  { forget, retain, test, holdout }: Readonly<Record<"forget" | "retain" | "test" | "holdout", Samples>>,
  key: Key,
): Promise<Figures> {
  const scored = async (samples: Samples) => ({
    logits: await predictor.logitsOf(model, samples),
    labels: samples.labels,
    classes: CLASSES,
  });
  const [f, r, t] = [await scored(forget), await scored(retain), await scored(test)];
  const groups = { members: r, nonMembers: await scored(holdout), forget: f };
  const { confidence } = svcMembership({ ...groups, key }, ["confidence"]);
  const accuracyOf = ({ logits, labels }: typeof t): number =>
    100 * accuracy(predictedClasses(logits, CLASSES), labels);
  const inGroup = (label: number, colour: string): Promise<number> =>
    scored(
      test.subset(
        positionsOf(
          test,
          (position) => test.labels[position] === label && test.groups(position).colour === colour,
        ),
      ),
    ).then(accuracyOf);
  const differences = [0, 1].map(async (label) =>
    Math.abs((await inGroup(label, "red")) - (await inGroup(label, "green"))),
  );
  const [first, second] = (await Promise.all(differences)) as [number, number];
  return {
    ra: accuracyOf(r),
    ua: accuracyOf(f),
    ta: accuracyOf(t),
    mia: 100 * confidence,
    eo: (first + second) / 2,
    ga: await inGroup(1, "red"),
  };
}

/** The paper's average gap: 100 less the mean difference from the reference; 100 is equality. */
function gapOf(figures: Figures, reference: Figures): number {
  const names = ["ra", "ua", "ta", "mia", "eo", "ga"] as const;
  const total = names.reduce((sum, name) => sum + Math.abs(figures[name] - reference[name]), 0);
  return 100 - total / names.length;
}

function positionsOf(samples: Samples, isWanted: (position: number) => boolean): Uint32Array {
  return Uint32Array.from(samples.labels, (_, position) => position).filter(isWanted);
}
