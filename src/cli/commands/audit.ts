import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { type AuditOutcome, audit, refused } from "../../audit/audit.ts";
import { documentOf } from "../../audit/audit-document.ts";
import { evidenceOf } from "../../audit/evidence.ts";
import { type ForgottenBetween, forgottenBetween, runMismatches } from "../../audit/matching-runs.ts";
import { LetheError } from "../../kernel/errors.ts";
import { renderAuditReport } from "../../report/audit-report.ts";
import type { AuditReport } from "../../report/audit-report-data.ts";
import { writeFileAtomically } from "../../storage/atomic-file.ts";
import { readTrainingRun } from "../../storage/training-run.ts";
import { type CommandContext, type CommonOptions, defineAction, parseCount } from "../context.ts";
import { farmEngine, farmOption } from "../farm-option.ts";
import { describeMachine } from "../machine.ts";
import { modelSourceOf } from "../model-argument.ts";
import { packageVersions } from "../package-versions.ts";
import { withoutNames } from "../shown-request.ts";
import { type OpenRun, openTrainingRun } from "../training-run.ts";

interface AuditOptions extends CommonOptions {
  readonly reference: number;
  readonly original?: string;
  readonly store: string;
  readonly workers?: number;
  readonly farm?: string;
}

/** Retrained references unless asked otherwise: with fewer, small differences drown in the band. */
const REFERENCES = 8;
/** The exit code of a verdict that is no pass. */
const NOT_PASSED = 4;

/** What `lethe unlearn` says of where its model came from. */
const originSchema = z.object({ from: z.string(), fromDirectory: z.string().optional() });

/** `lethe audit`: judge an unlearned model by models retrained without the data. */
export function auditCommand(): Command {
  const command = new Command("audit")
    .description(
      "Judge what `lethe unlearn` wrote by models retrained without the forgotten samples, with controls. Trained references are kept and used again; a killed audit goes on with the missing ones. Exits with 4 unless the model passes.",
    )
    .argument("<directory>", "what `lethe unlearn` wrote")
    .option(
      "--reference <retrain:COUNT>",
      "how many models to retrain as references",
      parseReference,
      REFERENCES,
    )
    .option("--original <directory>", "the model before unlearning (default: where `lethe unlearn` found it)")
    .option("--store <directory>", "where trained references are kept", ".lethe/models")
    .option("--workers <count>", "models trained at the same time (default: one a core)", parseCount)
    .addOption(
      farmOption("have the references trained by the machines that run `lethe work` at this database"),
    )
    .addHelpText(
      "after",
      "\nExample:\n  lethe audit out/without-3 --reference retrain:8 --out out/audit.html",
    );
  return defineAction<AuditOptions>(command, "out/audit.html", async (options, context, [directory = ""]) => {
    const started = performance.now();
    const unlearned = await openTrainingRun(directory);
    const origin = readOrigin(directory);
    const original = await openOriginal(directory, options.original, origin?.fromDirectory);
    const forgotten = forgottenBetween(original.run, unlearned.run, unlearned.parts.train.count);
    const outcome = await judged(original, unlearned, { ...forgotten, from: origin?.from }, options, context);
    const { models } = outcome;
    const { cores, processor, system, versions } = describeMachine(packageVersions());
    const result: AuditReport = {
      ...documentOf(outcome),
      ...(models && { evidence: evidenceOf(models, { train: unlearned.parts.train, ...forgotten }) }),
      data: unlearned.run.data,
      classNames: unlearned.dataset.classNames,
      machine: `${processor}, ${cores} cores, ${system}`,
      versions,
      model: unlearned.run.model,
      recipe: unlearned.run.settings,
      requests: unlearned.run.requests.map(({ spec, method, positions }) => ({
        spec: withoutNames(spec),
        method,
        samples: positions.length,
      })),
      references: options.reference,
      seed: context.seed,
      digests: {
        original: original.run.digest,
        unlearned: unlearned.run.digest,
        retrained: outcome.models?.retrained.map(({ digest }) => digest) ?? [],
      },
      seconds: (performance.now() - started) / 1000,
    };
    const json = options.out.replace(/(\.html?)?$/, ".json");
    writeFileAtomically(options.out, renderAuditReport(result));
    writeFileAtomically(json, `${JSON.stringify(result, undefined, 2)}\n`);
    return {
      json: result,
      text: textOf(result, options.out, json),
      exitCode: result.verdict === "pass" ? 0 : NOT_PASSED,
    };
  });
}

async function judged(
  original: OpenRun,
  unlearned: OpenRun,
  { from, ...forgotten }: ForgottenBetween & { readonly from: string | undefined },
  options: AuditOptions,
  context: CommandContext,
): Promise<AuditOutcome> {
  const mismatches = runMismatches(original.run, unlearned.run, from);
  if (mismatches.length > 0) return refused(mismatches);
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
  return context.run(
    "Auditing",
    audit({
      data: { ...parts, ...forgotten },
      model: { ...modelSourceOf(run.model, dataset), part },
      recipe: run.settings,
      original: original.weights,
      unlearned: unlearned.weights,
      references: options.reference,
      seed: context.seed,
      runtime: context.runtime,
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

function readOrigin(directory: string): z.output<typeof originSchema> | undefined {
  const path = join(directory, "unlearn.json");
  if (!existsSync(path)) return undefined;
  return originSchema.parse(JSON.parse(readFileSync(path, "utf8")));
}

/** @throws LETHE_USAGE_ORIGINAL when nobody says where the original is */
async function openOriginal(
  directory: string,
  named: string | undefined,
  relativePath: string | undefined,
): Promise<OpenRun> {
  const path = named ?? (relativePath === undefined ? undefined : join(directory, relativePath));
  if (path !== undefined) {
    // Read first: a missing directory is then named as the one that was looked for.
    readTrainingRun(path);
    return openTrainingRun(path);
  }
  throw new LetheError(
    "usage",
    "USAGE_ORIGINAL",
    `Expected to find the model before unlearning, but ${directory} does not say where it is. Give it as --original DIRECTORY.`,
  );
}

function parseReference(text: string): number {
  const [, count] = /^retrain:(\d+)$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError("Expected retrain:COUNT, such as retrain:8.");
  return parseCount(count);
}

function textOf(result: AuditReport, page: string, json: string): readonly string[] {
  const { verdict, reasons, controls, notes, metrics, seconds } = result;
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
    `time       ${seconds.toFixed(1)} s`,
    `written    ${page}, ${json}`,
  ];
}
