import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { Command } from "commander";
import { digestSamples } from "../../data/digest-samples.ts";
import { LetheError } from "../../kernel/errors.ts";
import { deriveKey, keyFromSeed } from "../../kernel/key.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Evidence, Method, MethodRequest, Roles } from "../../methods/contract.ts";
import { findMethod, methods } from "../../methods/index.ts";
import { writeFileAtomically } from "../../storage/atomic-file.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../storage/method-checkpoint.ts";
import { decodeTensors, encodeTensors } from "../../storage/safetensors.ts";
import { SHARDS_FOLDER, sisaCheckpointsFrom } from "../../storage/sisa-checkpoints.ts";
import type { TrainingRun } from "../../storage/training-run.ts";
import { shardedRecipe } from "../../training/sisa/sharded-recipe.ts";
import { type CommandContext, type CommonOptions, defineAction } from "../context.ts";
import { digestFacts, readOwnCheckpoint } from "../own-checkpoint.ts";
import { parseSetting } from "../setting-argument.ts";
import { requireShardMethod } from "../shard-method.ts";
import { centralScope, type OpenRun, openRequest, openTrainingRun } from "../training-run.ts";

interface UnlearnOptions extends CommonOptions {
  readonly forget: string;
  readonly method: string;
  readonly set?: Readonly<Record<string, unknown>>;
}

const CHECKPOINT = "checkpoint.safetensors";

/** `lethe unlearn`: one method on one request, resumable. */
export function unlearnCommand(): Command {
  const command = new Command("unlearn")
    .description(
      "Make a trained model forget samples. A killed run goes on where its last epoch ended; the result can be unlearned from again.",
    )
    .argument("<directory>", "what `lethe train` or `lethe unlearn` wrote")
    .requiredOption(
      "--forget <request>",
      "class:3, random:0.1, indices:FILE, subject:ID, group:ATTRIBUTE=VALUE; several with commas",
    )
    .requiredOption("--method <id>", `one of ${Object.keys(methods).join(", ")}`)
    .option("--set <name=value>", "a setting of the method; may be repeated", parseSetting)
    .addHelpText(
      "after",
      "\nExample:\n  lethe train --data mnist --model cnn --out out/cnn\n  lethe unlearn out/cnn --forget class:3 --method scrub --out out/without-3",
    );
  return defineAction<UnlearnOptions>(
    command,
    "out/unlearned",
    async (options, context, [directory = ""]) => {
      if (resolve(directory) === resolve(options.out)) {
        throw new LetheError(
          "usage",
          "USAGE_OUT",
          `Expected --out to be another directory than the model's, got ${options.out} for both. The original is needed for an audit.`,
        );
      }
      const method = findMethod(options.method);
      const open = await openTrainingRun(directory);
      const { run, parts, model, stored, architecture, weights } = open;
      requireShardMethod(run, method.id);
      const kept = sisaCheckpointsFrom(join(directory, SHARDS_FOLDER), join(options.out, SHARDS_FOLDER));
      const shards = run.sisa && {
        member: model,
        checkpoints: kept.checkpoints,
        ...shardedRecipe(run.settings, run.sisa, keyFromSeed(run.seed)),
      };
      const request = openRequest(open, options.forget, context.seed);
      const { set: settings = {} } = options;
      const started = performance.now();
      const { prepared, preparation } = await prepare(method, settings, open, directory, context);
      const facts = {
        from: run.digest,
        forget: [...request.forget],
        method: method.id,
        settings,
        seed: context.seed,
      };
      const recipe = digestFacts(facts);
      const checkpoint = join(options.out, CHECKPOINT);
      const resume = readOwnCheckpoint(checkpoint, recipe, decodeCheckpoint)?.checkpoint;
      if (resume !== undefined) context.say(`Going on after epoch ${resume.epoch}.`);
      const full: MethodRequest & Roles = {
        architecture,
        weights,
        scope: centralScope(request.scope),
        forgetClasses: request.classes,
        recipe: run.settings,
        key: deriveKey(keyFromSeed(context.seed), "unlearn"),
        runtime: context.runtime,
        prepared,
        methods,
        shards,
        resume,
        onCheckpoint: (reached) => writeFileAtomically(checkpoint, encodeCheckpoint(reached, recipe)),
        signal: context.signal,
        forget: request.forgetSamples,
        retain: request.retainSamples,
        validation: parts.validation,
      };
      const unlearning = performance.now();
      const outcome = await context.run(`Unlearning by ${method.title}`, method.run(full, settings));
      const seconds = (performance.now() - unlearning) / 1000;
      const digest = stored.digestOf(outcome.weights);
      const result = {
        method: method.id,
        guarantee: method.guarantee,
        settings,
        forget: options.forget,
        scope: request.scope,
        samples: { forget: request.forget.length, retain: request.retain.length },
        seconds,
        gradientEvaluations: outcome.evidence.gradientEvaluations,
        ...(preparation === undefined ? {} : { preparation }),
        ...(outcome.stop === undefined ? {} : { stop: outcome.stop }),
        evidence: { ...outcome.evidence, ...outcome.details },
        from: run.digest,
        // For `lethe audit`; relative, so that both may be moved together.
        fromDirectory: relative(resolve(options.out), resolve(directory)),
        digest,
      };
      const after: TrainingRun = {
        ...run,
        digest,
        // Only what starts from new weights is free of what the model was trained on before.
        ...(method.id === "retrain" ? { trainedOn: digestSamples(request.retainSamples) } : {}),
        requests: [
          ...run.requests,
          { spec: options.forget, method: method.id, positions: [...request.forget] },
        ],
      };
      if (run.sisa) kept.copyRest(run.sisa);
      stored.write(options.out, outcome.weights, after);
      writeFileAtomically(join(options.out, "unlearn.json"), `${JSON.stringify(result, undefined, 2)}\n`);
      rmSync(checkpoint, { force: true });
      return { json: result, text: textOf(result, options.out, (performance.now() - started) / 1000) };
    },
  );
}

/** What the method wants prepared from the training data: read where it lies beside the model, made and kept there else. */
async function prepare(
  method: Method,
  settings: Readonly<Record<string, unknown>>,
  { run, parts, architecture, weights }: OpenRun,
  directory: string,
  context: CommandContext,
): Promise<{ readonly prepared?: ParameterSet; readonly preparation?: Readonly<Record<string, unknown>> }> {
  if (method.prepare === undefined) return {};
  const path = join(directory, `prepared-${method.id}.safetensors`);
  const recipe = digestFacts({ from: run.digest, settings });
  if (existsSync(path)) {
    const { tensors, metadata } = decodeTensors(readFileSync(path), path);
    if (metadata.recipe === recipe) {
      return { prepared: new Map([...tensors].map(([name, { data }]) => [name, data])) };
    }
  }
  const gone = new Set(run.requests.flatMap(({ positions }) => positions));
  const left = Uint32Array.from(parts.train.labels, (_, position) => position).filter((at) => !gone.has(at));
  const started = performance.now();
  const { prepared, evidence } = await context.run(
    `Preparing ${method.title}`,
    method.prepare(
      {
        architecture,
        weights,
        recipe: run.settings,
        key: deriveKey(keyFromSeed(context.seed), "prepare"),
        runtime: context.runtime,
        signal: context.signal,
        training: parts.train.subset(left),
      },
      settings,
    ),
  );
  const bytes = encodeTensors({
    tensors: new Map([...prepared].map(([name, data]) => [name, { shape: [data.length], data }])),
    metadata: { recipe, method: method.id },
  });
  writeFileAtomically(path, bytes);
  return {
    prepared,
    preparation: { seconds: (performance.now() - started) / 1000, bytes: bytes.length, ...evidence },
  };
}

function textOf(
  result: {
    readonly samples: { readonly forget: number; readonly retain: number };
    readonly seconds: number;
    readonly evidence: Evidence;
    readonly stop?: { readonly reason: string };
    readonly guarantee: string;
    readonly digest: string;
  },
  out: string,
  total: number,
): string[] {
  const { samples, seconds, evidence, stop, guarantee, digest } = result;
  return [
    `forgotten  ${samples.forget} samples; ${samples.retain} are retained`,
    `time       ${seconds.toFixed(1)} s (${total.toFixed(1)} s with loading), ${Math.round(evidence.gradientEvaluations)} sample gradients`,
    ...(stop === undefined ? [] : [`stopped    ${stop.reason}`]),
    `guarantee  ${guarantee}`,
    `digest     ${digest}`,
    `written    ${join(out, "model.onnx")}, ${join(out, "unlearn.json")}`,
  ];
}
