// What the acceptance experiments of methods share: trained and retrained models, runs of methods, figures, and a result
// file that is written after every model, so that a killed experiment goes on where it was.
//
// An experiment takes [--seeds 1,2,3] (`none` draws the verdict from what is held), and [--again MODEL,MODEL] to run models (with what follows a space in their names) anew.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Samples } from "../../src/data/dataset.ts";
import { digestJson } from "../../src/kernel/digest.ts";
import { isLetheError } from "../../src/kernel/errors.ts";
import { consume } from "../../src/kernel/events.ts";
import { deriveKey, type Key } from "../../src/kernel/key.ts";
import type { ParameterSet } from "../../src/kernel/parameters.ts";
import type { MethodRequest, Roles } from "../../src/methods/contract.ts";
import { findMethod, methods } from "../../src/methods/index.ts";
import { withoutClasses } from "../../src/methods/parts/class-accuracy.ts";
import { accuracy } from "../../src/metrics/accuracy.ts";
import { svcMembership } from "../../src/metrics/attacks/svc-membership.ts";
import { lossMembership } from "../../src/metrics/membership.ts";
import { predictedClasses, sampleLosses } from "../../src/metrics/predictions.ts";
import type { Architecture } from "../../src/models/architecture.ts";
import { writeFileAtomically } from "../../src/storage/atomic-file.ts";
import { decodeTensors, encodeTensors } from "../../src/storage/safetensors.ts";
import { createPredictor, type Predictor } from "../../src/training/predictor.ts";
import { type Recipe, trainByRecipe } from "../../src/training/recipe.ts";
import { type Criterion, currentCommit, type Row, readResult, writeResult } from "./result-file.ts";

/** Every experiment runs on one thread: CPU seconds are seconds then. */
export const RUNTIME = { threads: 1, spinning: false } as const;

/** One request on one model, for one seed. */
export interface ExperimentCase extends Roles {
  readonly id: string;
  readonly seed: number;
  readonly key: Key;
  readonly architecture: Architecture;
  readonly recipe: Recipe;
  readonly scope: MethodRequest["scope"];
  readonly forgetClasses: readonly number[];
  readonly training: Samples;
  /** Non-members for the final attack: no method, rule or tuning sees them. */
  readonly holdout: Samples;
  readonly test: Samples;
}

/** A model and what it took. */
export interface Produced
  extends Pick<
    Row,
    | "method"
    | "settings"
    | "cpuSeconds"
    | "gradientEvaluations"
    | "preparation"
    | "stop"
    | "details"
    | "commit"
  > {
  readonly weights: ParameterSet;
}

/** An open experiment. */
export interface Experiment {
  readonly seeds: readonly number[];
  /** The row of a model, from the result file or by producing and measuring the model. */
  row(of: ExperimentCase, model: string, produce: () => Promise<Produced>): Promise<Row>;
  /** The rows of the model every seed was trained to, and of the one retrained without the forget samples. */
  references(of: ExperimentCase): Promise<{ readonly original: Row; readonly retrained: Row }>;
  /**
   * Settings that score best on the first seed, from the result file or by trying all; `score` sees validation data and the
   * forget samples alone. A trial that diverges has lost.
   */
  choose(of: ExperimentCase, model: string, search: Search): Promise<Row["settings"] & object>;
  /** The mean over the seeds of a figure. */
  mean(id: string, model: string, figure: (row: Row) => number): number;
  rows(id: string, model: string): readonly Row[];
  /** Writes the verdict and prints it. */
  conclude(criteria: readonly Criterion[], remarks?: readonly string[]): void;
}

/** A search for settings. */
export interface Search {
  readonly method: string;
  readonly trials: readonly Readonly<Record<string, unknown>>[];
  score(weights: ParameterSet, accuracyOn: AccuracyOn): Promise<number>;
}

/** The share of samples a model gets right, in per cent. */
export type AccuracyOn = (weights: ParameterSet, samples: Samples) => Promise<number>;

/** What an experiment is about. */
export interface ExperimentOptions {
  readonly method: string;
  readonly title: string;
  readonly setup: Readonly<Record<string, unknown>>;
  /** Figures beside the usual ones. */
  readonly figures?: (
    of: ExperimentCase,
    weights: ParameterSet,
    accuracyOn: AccuracyOn,
  ) => Promise<Readonly<Record<string, number>>>;
}

/** Opens an experiment with what its result file holds already. */
export function openExperiment(options: ExperimentOptions): Experiment {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1,2,3" },
      again: { type: "string", default: "" },
    },
  });
  const again = values.again.split(",").filter((name) => name.length > 0);
  const isAgain = (name: string): boolean =>
    again.some((first) => name === first || name.startsWith(`${first} `));
  const held = readResult(options.method);
  const rows: Row[] = (held?.rows ?? []).filter(({ model }) => !isAgain(model));
  const chosen = Object.fromEntries(
    Object.entries(held?.chosen ?? {}).filter(([name]) => !isAgain(name.split("/")[1] as string)),
  );
  const save = (criteria: readonly Criterion[] = [], remarks: readonly string[] = []): void => {
    const { method, title, setup } = options;
    writeResult({
      method,
      title,
      setup: { ...setup },
      chosen,
      rows,
      criteria: [...criteria],
      remarks: [...remarks],
    });
  };
  const find = (id: string, model: string, seed: number): Row | undefined =>
    rows.find((row) => row.case === id && row.model === model && row.seed === seed);
  const all = (id: string, model: string): readonly Row[] =>
    rows.filter((row) => row.case === id && row.model === model);
  const row: Experiment["row"] = async (of, model, produce) => {
    const known = find(of.id, model, of.seed);
    if (known !== undefined) return known;
    const { weights, ...facts } = await produce();
    await using predictor = await createPredictor(of.architecture, RUNTIME);
    const figures = {
      ...(await usualFigures(of, weights)),
      ...(await options.figures?.(of, weights, accuracyWith(predictor, of))),
    };
    const found: Row = { case: of.id, seed: of.seed, model, ...facts, figures };
    rows.push(found);
    console.log(
      of.id,
      of.seed,
      model,
      rounded(figures),
      `${found.cpuSeconds.toFixed(1)} s`,
      found.stop ?? "",
    );
    save();
    return found;
  };
  return {
    seeds: values.seeds === "none" ? [] : values.seeds.split(",").map(Number),
    row,
    rows: all,
    async references(of) {
      return {
        original: await row(of, "original", () => trained(of, "original")),
        retrained: await row(of, "retrained", () => trained(of, "retrained")),
      };
    },
    async choose(of, model, { method, trials, score }) {
      const name = `${of.id}/${model}`;
      const known = chosen[name];
      if (known !== undefined) return known;
      await using predictor = await createPredictor(of.architecture, RUNTIME);
      const accuracyOn = accuracyWith(predictor, of);
      let best: { readonly settings: Readonly<Record<string, unknown>>; readonly score: number } | undefined;
      for (const settings of trials) {
        const found = await tried(of, method, settings, (weights) => score(weights, accuracyOn));
        console.log(of.id, `trial of ${model}`, JSON.stringify(settings), found.toFixed(2));
        if (best === undefined || found > best.score) best = { settings, score: found };
      }
      const settings = { ...best?.settings };
      chosen[name] = settings;
      save();
      return settings;
    },
    mean(id, model, figure) {
      const list = all(id, model);
      return list.reduce((sum, found) => sum + figure(found), 0) / list.length;
    },
    conclude(criteria, remarks = []) {
      // Nothing is claimed of models that were not run.
      const measured = criteria.filter(({ figure, target }) => !/NaN|Infinity/.test(figure + target));
      const open = criteria.filter((criterion) => !measured.includes(criterion));
      const missing =
        open.length === 0 ? [] : [`Not measured: ${open.map(({ claim }) => claim).join("; ")}.`];
      save(measured, [...remarks.filter((remark) => !remark.includes("NaN")), ...missing]);
      for (const { claim, target, figure, isMet } of measured) {
        console.log(isMet ? "met   " : "MISSED", `${claim}: ${figure} (target ${target})`);
      }
    },
  };
}

/** Runs a method on a case's original model, prepared first where it prepares. */
export async function unlearned(
  of: ExperimentCase,
  method: string,
  settings: Readonly<Record<string, unknown>> = {},
  over: Partial<MethodRequest & Roles> = {},
): Promise<Produced> {
  const chosen = findMethod(method);
  const { architecture, recipe, scope, forgetClasses, forget, retain, validation, key } = of;
  const weights = over.weights ?? (await trained(of, "original")).weights;
  const common = { architecture, weights, recipe, key: deriveKey(key, "unlearn", method), runtime: RUNTIME };
  let preparation: Produced["preparation"];
  let prepared = over.prepared;
  if (chosen.prepare !== undefined && prepared === undefined) {
    const cpuSeconds = cpuTimer();
    const made = await consume(chosen.prepare({ ...common, training: of.training }, settings));
    prepared = made.prepared;
    const bytes = [...prepared.values()].reduce((sum, values) => sum + values.byteLength, 0);
    preparation = { cpuSeconds: cpuSeconds(), bytes };
  }
  const cpuSeconds = cpuTimer();
  const request = {
    ...common,
    scope,
    forgetClasses,
    forget,
    retain,
    validation,
    methods,
    prepared,
    ...over,
  };
  const outcome = await consume(chosen.run(request, settings));
  return {
    weights: outcome.weights,
    method,
    settings: { ...settings },
    cpuSeconds: cpuSeconds(),
    gradientEvaluations: outcome.evidence.gradientEvaluations,
    ...(preparation === undefined ? {} : { preparation }),
    ...(outcome.stop === undefined ? {} : { stop: `${outcome.stop.by} ${outcome.stop.epoch}` }),
    ...(outcome.details === undefined ? {} : { details: { ...outcome.details } }),
    commit: currentCommit(),
  };
}

const MODELS = join(import.meta.dirname, "../../out/experiments");

/** The trained model, or one retrained without the forget samples; kept under `out/` from run to run. */
export async function trained(of: ExperimentCase, part: "original" | "retrained"): Promise<Produced> {
  const samples = part === "original" ? of.training : of.retain;
  const { architecture, recipe } = of;
  const name = digestJson({
    id: architecture.id,
    layout: architecture.weights.map(({ name: own, shape }) => [own, [...shape]]),
    recipe: JSON.stringify(recipe),
    key: [...of.key],
    part,
    samples: [...samples.labels.keys()].map((position) => samples.id(position)),
  }).slice("sha256:".length);
  const path = join(MODELS, `${name}.safetensors`);
  const facts = { gradientEvaluations: recipe.epochs * samples.count, commit: currentCommit() };
  if (existsSync(path)) {
    const { tensors, metadata } = decodeTensors(readFileSync(path), path);
    const weights = new Map([...tensors].map(([own, { data }]) => [own, data]));
    return { weights, ...facts, cpuSeconds: Number(metadata.cpuSeconds) };
  }
  const cpuSeconds = cpuTimer();
  const key = deriveKey(of.key, part);
  const { weights } = await consume(trainByRecipe(recipe, { architecture, samples, key, runtime: RUNTIME }));
  const seconds = cpuSeconds();
  const shapes = new Map(architecture.weights.map(({ name: own, shape }) => [own, shape]));
  mkdirSync(MODELS, { recursive: true });
  writeFileAtomically(
    path,
    encodeTensors({
      tensors: new Map(
        [...weights].map(([own, data]) => [own, { shape: shapes.get(own) ?? [data.length], data }]),
      ),
      metadata: { cpuSeconds: String(seconds) },
    }),
  );
  return { weights, ...facts, cpuSeconds: seconds };
}

/**
 * Percentages: accuracy on forget and retain samples and on the test samples of the kept classes (`forget`, `retain`, `test`), on the
 * test samples of forgotten classes (`forgetTest`), MIA-efficacy by confidence (`mia`), and the loss test's AUC (`auc`, 50 cannot tell).
 */
async function usualFigures(of: ExperimentCase, weights: ParameterSet): Promise<Record<string, number>> {
  await using predictor = await createPredictor(of.architecture, RUNTIME);
  const { classes } = of.architecture;
  const scored = async (samples: Samples) => ({
    logits: await predictor.logitsOf(weights, samples),
    labels: samples.labels,
    classes,
  });
  const accuracyOn = accuracyWith(predictor, of);
  const [forget, retain, holdout] = [
    await scored(of.forget),
    await scored(of.retain),
    await scored(of.holdout),
  ];
  const groups = { members: retain, nonMembers: holdout, forget, key: deriveKey(of.key, "attack") };
  const { auc } = lossMembership(
    sampleLosses(forget.logits, forget.labels, classes),
    forget.labels,
    sampleLosses(holdout.logits, holdout.labels, classes),
    holdout.labels,
  );
  const gone = new Set(of.forgetClasses);
  const ofGone = of.test.subset(
    Uint32Array.from(of.test.labels.keys()).filter((position) =>
      gone.has(of.test.labels[position] as number),
    ),
  );
  return {
    forget: await accuracyOn(weights, of.forget),
    retain: await accuracyOn(weights, of.retain),
    test: await accuracyOn(weights, withoutClasses(of.test, of.forgetClasses)),
    ...(gone.size === 0 ? {} : { forgetTest: await accuracyOn(weights, ofGone) }),
    mia: 100 * svcMembership(groups, ["confidence"]).confidence,
    auc: 100 * auc,
  };
}

function accuracyWith(predictor: Predictor, { architecture }: ExperimentCase): AccuracyOn {
  const { classes } = architecture;
  return async (weights, samples) =>
    100 * accuracy(predictedClasses(await predictor.logitsOf(weights, samples), classes), samples.labels);
}

async function tried(
  of: ExperimentCase,
  method: string,
  settings: Readonly<Record<string, unknown>>,
  score: (weights: ParameterSet) => Promise<number>,
): Promise<number> {
  try {
    return await score((await unlearned(of, method, settings)).weights);
  } catch (error) {
    if (!isLetheError(error, "numeric")) throw error;
    return Number.NEGATIVE_INFINITY;
  }
}

/** CPU seconds of this process since the call. */
export function cpuTimer(): () => number {
  const start = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  };
}

/** The mean distance of figures to those of the retrained model: the average gap, in points. */
export function gapTo(reference: Row, { figures }: Row, names: readonly string[]): number {
  const distance = (name: string): number =>
    Math.abs((figures[name] as number) - (reference.figures[name] as number));
  return names.reduce((sum, name) => sum + distance(name), 0) / names.length;
}

function rounded(figures: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, Math.round(100 * value) / 100]),
  );
}
