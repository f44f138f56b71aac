import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { type AuditOutcome, audit, refused } from "../../audit/audit.ts";
import { documentOf } from "../../audit/audit-document.ts";
import { type AuditEvidence, gatherEvidence } from "../../audit/evidence.ts";
import type { UnlearningStep } from "../../audit/farm/training-job.ts";
import { auditByHeldOut, type HeldOutRequest } from "../../audit/holdout/held-out-audit.ts";
import { LEAST_MODELS } from "../../audit/many-models.ts";
import { type ForgottenBetween, forgottenBetween, runMismatches } from "../../audit/matching-runs.ts";
import { digestSamples } from "../../data/digest-samples.ts";
import { digestArrays } from "../../kernel/digest.ts";
import { LetheError } from "../../kernel/errors.ts";
import { renderAuditReport } from "../../report/audit-report.ts";
import { AUDIT_FORMAT, AUDIT_VERSION, type AuditReport } from "../../report/audit-report-data.ts";
import { writeFileAtomically } from "../../storage/atomic-file.ts";
import { readTrainingRun } from "../../storage/training-run.ts";
import { costsOf, leftoversOf, readUnlearningWork, type UnlearningWork } from "../audit-facts.ts";
import { type CommandContext, type CommonOptions, defineAction, parseCount } from "../context.ts";
import { farmEngine, farmOption } from "../farm-option.ts";
import { describeMachine } from "../machine.ts";
import { modelSourceOf } from "../model-argument.ts";
import { packageVersions } from "../package-versions.ts";
import { openReferences, parseReference, type Reference, referenceCount } from "../reference-argument.ts";
import { addPdfOptions, type PdfFlags, writePage } from "../report-files.ts";
import { withoutNames } from "../shown-request.ts";
import { type OpenRun, openTrainingRun } from "../training-run.ts";

interface AuditOptions extends CommonOptions, PdfFlags {
  readonly reference: Reference;
  readonly original?: string;
  readonly store: string;
  readonly workers?: number;
  readonly pictures: boolean;
  readonly farm?: string;
  readonly relearn?: boolean;
  readonly attack?: number;
}

/** Retrained references unless asked otherwise: with fewer, small differences drown in the band. */
const REFERENCE: Reference = { kind: "retrain", count: 8 };
/** The exit code of a verdict that is no pass. */
const NOT_PASSED = 4;

/** `lethe audit`: judge an unlearned model by models retrained without the data. */
export function auditCommand(): Command {
  const command = new Command("audit")
    .description(
      "Judge what `lethe unlearn` wrote by models retrained without the forgotten samples, with controls. Trained references are kept and used again; a killed audit goes on with the missing ones. Exits with 4 unless the model passes: also when it is found plausible, the weaker word of an audit by held-out samples.",
    )
    .argument("<directory>", "what `lethe unlearn` wrote")
    .option(
      "--reference <models>",
      "what to judge by: retrain:COUNT models, runs:DIRECTORY,… that `lethe unlearn --method retrain` wrote, or holdout: no retrained model but held-out samples, for random or listed samples; its best verdict is `plausible`",
      parseReference,
      REFERENCE,
    )
    .option("--original <directory>", "the model before unlearning (default: where `lethe unlearn` found it)")
    .option("--store <directory>", "where trained references are kept", ".lethe/models")
    .option("--workers <count>", "models trained at the same time (default: one a core)", parseCount)
    .option("--no-pictures", "show no images of samples, for image data that show people")
    .addOption(
      farmOption("have the references trained by the machines that run `lethe work` at this database"),
    )
    .option(
      "--relearn",
      "also measure how fast the forgotten samples are learnt again (relearn time, anamnesis index)",
    )
    .option(
      "--attack <u-lira:COUNT>",
      "also judge the method: so many originals are trained and unlearned by it, and attacked (U-LiRA, KLoM, and from 64 on the score of the NeurIPS 2023 competition)",
      parseAttack,
    )
    .addHelpText(
      "after",
      "\nExamples:\n  lethe audit out/without-3 --reference retrain:8 --out out/audit.html\n  lethe audit out/without-tenth --reference holdout --out out/audit.html",
    );
  return defineAction<AuditOptions>(
    addPdfOptions(command),
    "out/audit.html",
    async (options, context, [directory = ""]) => {
      const started = performance.now();
      const unlearned = await openTrainingRun(directory);
      const work = readUnlearningWork(directory);
      const originalDirectory = originalOf(directory, options.original, work?.fromDirectory);
      const original = await openTrainingRun(originalDirectory);
      const forgotten = forgottenBetween(original.run, unlearned.run, unlearned.parts.train.count);
      const outcome = await judged(original, unlearned, { ...forgotten, work }, options, context);
      const evidence = await evidenceOf(outcome, unlearned, forgotten.forget, options, context);
      const { cores, processor, system, versions } = describeMachine(packageVersions());
      const { run, parts, dataset } = unlearned;
      const result: AuditReport = {
        format: AUDIT_FORMAT,
        version: AUDIT_VERSION,
        ...documentOf(outcome),
        ...(evidence && { evidence }),
        data: run.data,
        classNames: dataset.classNames,
        machine: `${processor}, ${cores} cores, ${system}`,
        versions,
        model: run.model,
        recipe: run.settings,
        requests: run.requests.map(({ spec, method, positions }) => ({
          spec: withoutNames(spec),
          method,
          samples: positions.length,
        })),
        references: referenceCount(options.reference),
        seed: context.seed,
        digests: {
          original: original.run.digest,
          unlearned: run.digest,
          retrained: outcome.models?.retrained.map(({ digest }) => digest) ?? [],
          data: digestSamples(parts.train),
          forget: digestArrays(new Map([["positions", forgotten.forget]])),
        },
        leftovers: leftoversOf([originalDirectory, directory], original, unlearned, forgotten.retain),
        costs: costsOf(originalDirectory, original, work, forgotten.retain.length),
        configuration: configurationOf(options, context, work?.settings),
        seconds: (performance.now() - started) / 1000,
      };
      const json = options.out.replace(/(\.html?)?$/, ".json");
      writeFileAtomically(json, `${JSON.stringify(result, undefined, 2)}\n`);
      const written = await writePage(options.out, renderAuditReport(result), options, context);
      return {
        json: result,
        text: textOf(result, [...written, json]),
        exitCode: result.verdict === "pass" ? 0 : NOT_PASSED,
      };
    },
  );
}

async function judged(
  original: OpenRun,
  unlearned: OpenRun,
  { work, ...forgotten }: ForgottenBetween & { readonly work: UnlearningWork | undefined },
  options: AuditOptions,
  context: CommandContext,
): Promise<AuditOutcome> {
  const { parts, run, dataset } = unlearned;
  if (run.sisa !== undefined) {
    return refused([
      "The model was trained in shards: references are trained whole, and differ from it for that alone. Unlearning by `sisa` is " +
        "exact; `--set fromScratch=true` makes the same digest without any checkpoint.",
    ]);
  }
  if (run.adaptation !== undefined && options.farm !== undefined) {
    return refused([
      "References of which a part is trained cannot be trained on a farm yet. Audit without --farm.",
    ]);
  }
  const part = run.adaptation && { adaptation: run.adaptation, seed: run.seed };
  const mismatches = [
    ...runMismatches(original.run, run, work?.from, parts.train.count),
    ...dataRefusals(original),
  ];
  if (mismatches.length > 0) return refused(mismatches);
  if (options.reference.kind === "holdout") {
    return context.run(
      "Auditing",
      auditByHeldOut(heldOutRequest(original, unlearned, forgotten, options, context)),
    );
  }
  const { given, refusals } = await openReferences(options.reference, unlearned, forgotten);
  if (refusals.length > 0) return refused(refusals);
  return context.run(
    "Auditing",
    audit({
      data: { ...parts, ...forgotten },
      model: { ...modelSourceOf(run.model, dataset), part },
      recipe: run.settings,
      original: original.weights,
      unlearned: unlearned.weights,
      references: referenceCount(options.reference),
      given,
      seed: context.seed,
      runtime: context.runtime,
      relearn: options.relearn,
      manyModels:
        options.attack === undefined
          ? undefined
          : { count: options.attack, unlearn: stepOf(unlearned, work) },
      farm: {
        store: options.store,
        workers: options.workers,
        queue:
          options.farm === undefined ? undefined : { url: options.farm, source: run, engine: farmEngine() },
        signal: context.signal,
      },
    }),
  );
}

/** @throws LETHE_USAGE_AUDIT for what only retrained models can show */
function heldOutRequest(
  original: OpenRun,
  { run, parts, dataset, weights }: OpenRun,
  forgotten: ForgottenBetween,
  { relearn, attack, farm }: AuditOptions,
  { seed, runtime, signal }: CommandContext,
): HeldOutRequest {
  const superfluous = Object.entries({ relearn, attack, farm }).find(([, value]) => value !== undefined);
  if (superfluous !== undefined) {
    throw new LetheError(
      "usage",
      "USAGE_AUDIT",
      `Expected no --${superfluous[0]} beside --reference holdout: it takes retrained models. Leave it out, or use --reference retrain:8.`,
    );
  }
  return {
    data: { ...parts, ...forgotten },
    model: modelSourceOf(run.model, dataset),
    recipe: run.settings,
    original: original.weights,
    unlearned: weights,
    specs: run.requests.slice(original.run.requests.length).map(({ spec }) => spec),
    seed,
    runtime,
    signal,
  };
}

/** What `lethe unlearn` did, to be done again to other originals. @throws LETHE_USAGE_ATTACK when it does not say */
function stepOf({ run }: OpenRun, work: UnlearningWork | undefined): Omit<UnlearningStep, "forget"> {
  const method = run.requests.at(-1)?.method;
  if (method === undefined || work?.scope === undefined) {
    throw new LetheError(
      "usage",
      "USAGE_ATTACK",
      "Expected the directory to say by which method it was unlearned, for --attack repeats it on other models. Audit what `lethe unlearn` wrote.",
    );
  }
  return { method, settings: work.settings ?? {}, scope: work.scope };
}

/** The plots' material; nothing where nothing was measured. */
async function evidenceOf(
  { models }: AuditOutcome,
  { architecture, parts, run }: OpenRun,
  forget: Uint32Array,
  { pictures }: AuditOptions,
  context: CommandContext,
): Promise<AuditEvidence | undefined> {
  if (models === undefined) return undefined;
  const { train } = parts;
  // What is about persons is not shown, whoever reads the report.
  const isPersonal =
    run.requests.some(({ spec }) => spec.includes("subject:")) ||
    Array.from(forget).some((position) => train.subject(position) !== undefined);
  const request = { architecture, train, forget, showsPictures: pictures && !isPersonal };
  const { runtime, signal } = context;
  return context.run("Gathering evidence", gatherEvidence(models, { ...request, runtime, signal }));
}

function configurationOf(
  { reference, pictures }: AuditOptions,
  { seed, runtime }: CommandContext,
  settings: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> {
  const { threads, device = "cpu" } = runtime;
  return {
    unlearning: settings ?? {},
    audit: { reference, seed, pictures, device, ...(threads && { threads }) },
  };
}

/** @throws LETHE_USAGE_ORIGINAL when nobody says where the original is */
function originalOf(directory: string, named: string | undefined, relativePath: string | undefined): string {
  const path = named ?? (relativePath === undefined ? undefined : join(directory, relativePath));
  if (path !== undefined) {
    // Read first: a missing directory is then named as the one that was looked for.
    readTrainingRun(path);
    return path;
  }
  throw new LetheError(
    "usage",
    "USAGE_ORIGINAL",
    `Expected to find the model before unlearning, but ${directory} does not say where it is. Give it as --original DIRECTORY.`,
  );
}

/** Data that are no longer what the model was trained on, by the digest `lethe train` recorded. */
function dataRefusals({ run, parts }: OpenRun): readonly string[] {
  const isWhole = run.requests.length === 0 && run.trainedOn !== undefined;
  return isWhole && run.trainedOn !== digestSamples(parts.train)
    ? [`The data at ${run.data} are not those the original was trained on (the digests differ).`]
    : [];
}

function parseAttack(text: string): number {
  const [, count] = /^u-lira:(\d+)$/.exec(text) ?? [];
  if (count === undefined || Number(count) < LEAST_MODELS) {
    throw new InvalidArgumentError(`Expected u-lira:COUNT from ${LEAST_MODELS} on, such as u-lira:64.`);
  }
  return Number(count);
}

function textOf(result: AuditReport, written: readonly string[]): readonly string[] {
  const {
    verdict,
    reasons,
    controls,
    notes,
    metrics,
    heldOut = [],
    relearning,
    manyModels = [],
    seconds,
  } = result;
  const wrong = controls.filter(({ expected, outcome }) => expected !== outcome).length;
  const write = (value: number): string => value.toFixed(3).padStart(8);
  return [
    `verdict    ${verdict}`,
    ...[...reasons, ...notes].map((sentence) => `           ${sentence}`),
    ...(controls.length === 0
      ? []
      : [`controls   ${controls.length - wrong} of ${controls.length} came out as they must`]),
    ...Object.entries(metrics).map(
      ([id, { group, original, unlearned, retrained, limits, passes }]) =>
        `${group === "reported" ? "·" : passes ? "✓" : "✗"} ${id.padEnd(18)} original ${write(original)}  unlearned ${write(unlearned)}  retrained ${write(retrained)}  limits ${limits.map(write).join(" …")}`,
    ),
    ...heldOut.map(
      ({ id, passes, original, unlearned, limits }) =>
        `${passes ? "✓" : "✗"} ${id.padEnd(20)} original ${write(original.value)}  unlearned ${write(unlearned.value)}  limits ${limits.map(write).join(" …")}`,
    ),
    ...(relearning === undefined
      ? []
      : [
          `relearning original ${relearning.steps.original} steps, unlearned ${relearning.steps.unlearned}, retrained ${relearning.steps.retrained.join(" ")}; anamnesis index ${relearning.anamnesis.toFixed(2)}`,
        ]),
    ...manyModels.map(
      (figure) =>
        `· ${`${figure.id} ${figure.set}`.padEnd(25)} original ${write(figure.original)}  unlearned ${write(figure.unlearned)}  retrained ${write(figure.retrained)}  ${figure.title}`,
    ),
    `time       ${seconds.toFixed(1)} s`,
    `written    ${written.join(", ")}`,
  ];
}
