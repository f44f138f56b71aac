import { basename } from "node:path";
import type { Dataset, Samples } from "../data/dataset.ts";
import type { SimulationConfig } from "../federation/simulation/config.ts";
import type { AttackInPlay } from "../federation/simulation/population.ts";
import type { SimulatedModel, SimulationOutcome } from "../federation/simulation/simulate.ts";
import { DEFAULT_TOLERANCE } from "../federation/simulation/verdict.ts";
import { findRule } from "../federation/unlearning/index.ts";
import { quantisers } from "../history/quantisers/index.ts";
import { confusionMatrix } from "../metrics/accuracy.ts";
import { distance } from "../metrics/distance.ts";
import type { SimulationReportInput } from "../report/simulation-report-schema.ts";
import { formatCodec } from "./codec-argument.ts";
import type { SimulationDocument } from "./simulation-document.ts";
import { simulationLimits } from "./simulation-limits.ts";

/** Pictures in the report: enough to see the trigger, few enough for a phone. */
const EXAMPLES = 6;

/** The report's data from a simulation's outcome: the document's figures and the material of plots and pictures. */
export async function simulationReportData(
  config: SimulationConfig,
  outcome: SimulationOutcome,
  document: SimulationDocument,
  about: { readonly dataset: Dataset; readonly command: string },
): Promise<SimulationReportInput> {
  const { dataset } = about;
  const { test } = dataset;
  const classes = [...dataset.classNames];
  const ofModels = <Value>(figure: (model: SimulatedModel) => Value) => ({
    trained: figure(outcome.trained),
    unlearned: figure(outcome.unlearned),
    ...(outcome.retrained === undefined ? {} : { retrained: figure(outcome.retrained) }),
  });
  const { membership } = outcome.trained.measurement;
  const { attack } = outcome.population;
  // An attacker who stays goes on attacking: its success says nothing about the removal.
  const pointOf = attack?.leaves ? withAttack : withoutAttack;
  const samples = dataset.featureShape.length === 3 ? "images" : "samples";
  const examples = pickExamples(outcome, dataset, ofModels);
  const { breakdown } = document.history;
  const label = `after ${document.method}`;
  return {
    run: {
      dataset: dataset.title.split(":")[0] ?? dataset.id,
      // A model of the user's own is named by its file, not by where it lies.
      model: `a network (${basename(config.model)}) of ${document.history.parameters.toLocaleString("en")} values`,
      clients: config.clients,
      rounds: config.rounds,
      partition: config.partition,
      removed: config.unlearn.clients.map((client) => ({ client, name: `client ${client}` })),
      method: { id: config.unlearn.method, title: findRule(config.unlearn.method).title },
      codec: { id: document.codec, title: quantisers[config.codec.quantiser].title },
      samples,
      ...(attack?.leaves ? { attack: attackOf(attack, classes) } : {}),
    },
    accuracy: document.accuracy,
    ...(attack?.leaves && document.attackSuccess !== undefined
      ? { attackSuccess: document.attackSuccess }
      : {}),
    removedClientAccuracy: document.removedClientAccuracy,
    ...(document.parameterDistance === undefined ? {} : { parameterDistance: document.parameterDistance }),
    history: {
      parameters: document.history.parameters,
      updates: document.history.updates,
      rawBytes: document.history.rawBytes,
      storedBytes: document.history.storedBytes,
      bitsPerParameter: document.history.bitsPerParameter,
      breakdown: [
        { part: "coded updates", bytes: breakdown.records },
        { part: "sums of each client's updates", bytes: breakdown.sums },
        { part: "first and last weights, exact", bytes: breakdown.weights },
        { part: "state for resuming", bytes: breakdown.checkpoint },
        { part: "squared gradients of Adam clients", bytes: breakdown.auxiliary },
        { part: "the database around them", bytes: Math.max(0, breakdown.database) },
      ].filter(({ bytes }) => bytes > 0),
    },
    seconds: document.seconds,
    clientRounds: document.clientRounds,
    gradientSteps: document.gradientSteps,
    ...(outcome.verdict === undefined
      ? {}
      : {
          verdict: outcome.verdict.verdict,
          reasons: [...outcome.verdict.reasons],
          controls: outcome.verdict.controls.map(({ title, expected, outcome: found, figures }) => ({
            title,
            expected,
            outcome: found,
            ...pointOf(figures),
            removedClientAccuracy: figures.removedClientAccuracy,
          })),
          tolerance: { ...DEFAULT_TOLERANCE },
        }),
    series: {
      trained: curveOf(outcome.series.trained, pointOf),
      ...(outcome.series.retrained.length === 0
        ? {}
        : { retrained: curveOf(outcome.series.retrained, pointOf) }),
      unlearning: [
        ...(outcome.beforeRepair === undefined ? [] : [{ label, ...pointOf(outcome.beforeRepair) }]),
        {
          label: outcome.beforeRepair === undefined ? label : "after the repair round",
          ...pointOf(outcome.unlearned.measurement),
        },
      ],
    },
    ...codecCurveOf(config, outcome, document, pointOf),
    ...(examples === undefined ? {} : { examples }),
    confusion: [
      {
        title: `Clean test ${samples}`,
        classes,
        matrices: ofModels(({ measurement }) =>
          confusionMatrix(measurement.predicted, test.labels, classes.length),
        ),
      },
    ],
    // No class in common, nothing to compare.
    ...(membership.members === 0
      ? {}
      : {
          membership: {
            attack: "Loss threshold, class by class",
            members: membership.members,
            nonMembers: membership.nonMembers,
            auc: ofModels((model) => interval(model.measurement.membership)),
          },
        }),
    ...diagnosisOf(document),
    limits: [...simulationLimits(config, attack)],
    provenance: {
      command: about.command,
      seed: config.seed,
      versions: { ...document.machine.versions },
      machine: `${document.machine.cores} cores, ${document.machine.processor}, ${document.machine.system}`,
      digests: { ...document.digests },
    },
  };
}

function attackOf({ facts, attackers }: AttackInPlay, classes: readonly string[]) {
  const { kind, fraction, boost } = facts;
  const common = { by: attackers.map((attacker) => `client ${attacker}`), poisonedShare: fraction, boost };
  return kind === "labelflip"
    ? { kind, ...common }
    : { kind, ...common, trigger: facts.trigger, target: classes[facts.target] ?? String(facts.target) };
}

interface Point {
  readonly accuracy: number;
  readonly attackSuccess?: number | undefined;
}

type PointOf = (point: Point) => { readonly accuracy: number; readonly attackSuccess?: number };

function withAttack({ accuracy, attackSuccess }: Point) {
  return { accuracy, ...(attackSuccess === undefined ? {} : { attackSuccess }) };
}

function withoutAttack({ accuracy }: Point) {
  return { accuracy };
}

function curveOf(series: SimulationOutcome["series"]["trained"], pointOf: PointOf) {
  return series.map((point) => ({ round: point.round, ...pointOf(point) }));
}

/** The 95 % interval of an AUC by its standard error. */
function interval({ auc, standardError }: { auc: number; standardError: number }) {
  const margin = 1.96 * standardError;
  return { value: auc, low: Math.max(0, auc - margin), high: Math.min(1, auc + margin) };
}

/** What the rule says of itself; nothing for a rule that cannot judge itself. */
function diagnosisOf({ diagnosis }: SimulationDocument) {
  const { rho, agreement } = diagnosis.values;
  if (rho === undefined) return {};
  return {
    diagnosis: {
      rho,
      ...(agreement === undefined ? {} : { pi: agreement }),
      warnings: diagnosis.warnings.map(({ code, message }) => ({ code, message })),
    },
  };
}

/** Bytes against unlearning error, the error measured against the float32 history of the curve. */
function codecCurveOf(
  config: SimulationConfig,
  outcome: SimulationOutcome,
  document: SimulationDocument,
  pointOf: PointOf,
) {
  const exact = outcome.codecCurve.find(
    ({ codec }) => codec.quantiser === "none" && codec.threshold.mode === "none",
  );
  if (exact === undefined) return {};
  const scale = distance(exact.weights, outcome.trained.weights);
  const own = {
    title: formatCodec(config.codec),
    storedBytes: document.history.storedBytes,
    bitsPerParameter: document.history.bitsPerParameter,
    error: distance(outcome.unlearned.weights, exact.weights) / scale,
    ...pointOf(outcome.unlearned.measurement),
    used: true,
  };
  const points = outcome.codecCurve.map((point) => ({
    title: point === exact ? "float32" : formatCodec(point.codec),
    storedBytes: point.storedBytes,
    bitsPerParameter: point.bitsPerParameter,
    error: distance(point.weights, exact.weights) / scale,
    ...pointOf(point),
  }));
  return { codecCurve: [...points, own].sort((a, b) => a.storedBytes - b.storedBytes) };
}

/** Test images with and without the trigger, one of each of the first classes. */
function pickExamples(
  outcome: SimulationOutcome,
  { test, classNames, featureShape }: Dataset,
  ofModels: <Value>(figure: (model: SimulatedModel) => Value) => {
    trained: Value;
    unlearned: Value;
    retrained?: Value;
  },
) {
  const { attacked, attack } = outcome.population;
  const [channels, rows, columns] = featureShape;
  if (attacked === undefined || !attack?.leaves || attack.facts.kind !== "backdoor") return undefined;
  if (channels !== 1 || rows === undefined || columns === undefined) return undefined;
  const places = new Map(Array.from({ length: test.count }, (_, position) => [test.id(position), position]));
  const items = [];
  const seen = new Set<number>();
  for (let position = 0; position < attacked.count && items.length < EXAMPLES; position++) {
    const clean = places.get(attacked.id(position));
    const label = clean === undefined ? undefined : test.labels[clean];
    if (clean === undefined || label === undefined || seen.has(label)) continue;
    seen.add(label);
    items.push({
      label: classNames[label] ?? String(label),
      clean: greyOf(test, clean),
      triggered: greyOf(attacked, position),
      predictions: ofModels(({ measurement }) => ({
        clean: nameOf(classNames, measurement.predicted[clean]),
        triggered: nameOf(classNames, measurement.predictedAttacked?.[position]),
      })),
    });
  }
  const shape: [number, number] = [rows, columns];
  return items.length === 0 ? undefined : { shape, items };
}

function greyOf(samples: Samples, position: number): string {
  const pixels = new Float32Array(samples.featureLength);
  samples.gather([position], pixels);
  return Buffer.from(
    Uint8Array.from(pixels, (value) => Math.round(255 * Math.min(1, Math.max(0, value)))),
  ).toString("base64");
}

function nameOf(names: readonly string[], label: number | undefined): string {
  return label === undefined ? "?" : (names[label] ?? String(label));
}
