import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { answersOf } from "../../data/answers.ts";
import { IGNORED_LABEL, type Samples } from "../../data/dataset.ts";
import { loadDataset } from "../../data/index.ts";
import { divideDataset } from "../../data/parts.ts";
import { digestArrays, digestJson } from "../../kernel/digest.ts";
import { LetheError } from "../../kernel/errors.ts";
import { keyFromSeed } from "../../kernel/key.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { accuracy } from "../../metrics/accuracy.ts";
import { predictedClasses } from "../../metrics/predictions.ts";
import { type Architecture, layoutOfArchitecture } from "../../models/architecture.ts";
import { writeFileAtomically } from "../../storage/atomic-file.ts";
import { decodeState, encodeState } from "../../storage/trainer-state.ts";
import { writeTrainingRun } from "../../storage/training-run.ts";
import type { TrainerState } from "../../training/objective.ts";
import { createPredictor, type Predictor } from "../../training/predictor.ts";
import { recipeSchema, trainByRecipe } from "../../training/recipe.ts";
import { type CommonOptions, defineAction, parseCount, parseReal, parseSettings } from "../context.ts";
import { chooseModel, MODEL_HELP } from "../model-argument.ts";

interface TrainOptions extends CommonOptions {
  readonly data: string;
  readonly model: string;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly optimizer?: string;
  readonly schedule?: string;
  readonly samples?: number;
  readonly validation: number;
}

/** What is held out from training unless asked otherwise: enough for a stopping rule, not missed by the model. */
const VALIDATION = 0.1;

/** `lethe train`: central training to an ONNX file, resumable. */
export function trainCommand(): Command {
  const command = new Command("train")
    .description(
      "Train a classifier and write it as an ONNX file. A killed run goes on where its last epoch ended.",
    )
    .requiredOption(
      "--data <dataset>",
      "mnist, fashion-mnist, digits, idx:DIR, csv:FILE?label=COLUMN, text:FILE",
    )
    .option("--model <model>", MODEL_HELP, "mlp")
    .option("--epochs <count>", "passes over the data (default: 5)", parseCount)
    .option("--batch-size <count>", "samples in a step (default: 64)", parseCount)
    .option("--learning-rate <rate>", "base step size (default: 0.02 for sgd, 0.001 for adam)", parseReal)
    .option("--optimizer <id>", "sgd (momentum 0.9), adam or adamw")
    .option("--schedule <id>", "constant, linear or cosine")
    .option(
      "--samples <count>",
      "train on about this many samples, all classes alike (default: all)",
      parseCount,
    )
    .option(
      "--validation <share>",
      "share held out from training, for methods that tune or stop on it",
      parseReal,
      VALIDATION,
    )
    .addHelpText(
      "after",
      "\nExample:\n  lethe train --data mnist --model cnn --epochs 3 --out out/mnist-cnn",
    );
  return defineAction<TrainOptions>(command, "out/train", async (options, context) => {
    const { optimizer, schedule, epochs, batchSize, learningRate, samples, validation } = options;
    const settings = parseSettings(
      recipeSchema,
      {
        epochs,
        batchSize,
        learningRate,
        optimizer: optimizer === undefined || optimizer === "sgd" ? undefined : { id: optimizer },
        schedule: schedule === undefined ? undefined : { id: schedule },
      },
      "lethe train",
    );
    const started = performance.now();
    const dataset = await loadDataset(options.data);
    const parts = divideDataset(dataset, { samples, validation });
    const architecture = chooseModel(options.model, dataset);
    const facts = {
      data: options.data,
      model: options.model,
      seed: context.seed,
      ...(samples === undefined ? {} : { samples }),
      validation,
      settings,
    };
    const recipe = digestJson(z.json().parse(JSON.parse(JSON.stringify(facts))));
    const checkpoint = join(options.out, "checkpoint.safetensors");

    const resume = readCheckpoint(checkpoint, recipe);
    if (resume !== undefined) context.say(`Going on after step ${resume.step}.`);
    const state = await context.run(
      `Training ${architecture.id} on ${dataset.title}`,
      trainByRecipe(settings, {
        architecture,
        samples: parts.train,
        key: keyFromSeed(context.seed),
        runtime: context.runtime,
        resume,
        onEpoch: (reached) => writeFileAtomically(checkpoint, encodeState(reached, recipe)),
        signal: context.signal,
      }),
    );
    await using predictor = await createPredictor(architecture, context.runtime);
    const result = {
      ...facts,
      ...(dataset.tokenizer === undefined ? {} : { tokenizer: dataset.tokenizer.digest }),
      parameters: layoutOfArchitecture(architecture).parameterLength,
      accuracy: {
        train: await accuracyOn(predictor, architecture, state.weights, parts.train),
        ...(parts.validation.count === 0
          ? {}
          : { validation: await accuracyOn(predictor, architecture, state.weights, parts.validation) }),
        test: await accuracyOn(predictor, architecture, state.weights, parts.test),
      },
      steps: state.step,
      seconds: (performance.now() - started) / 1000,
      digest: digestArrays(state.weights),
      requests: [],
    };
    if (dataset.tokenizer !== undefined) {
      const record = JSON.stringify(dataset.tokenizer.record);
      writeFileAtomically(
        join(options.out, "tokenizer.json"),
        `${record}
`,
      );
    }
    writeTrainingRun(options.out, architecture, state.weights, result);
    rmSync(checkpoint, { force: true });
    return {
      json: result,
      text: [
        `accuracy   train ${percent(result.accuracy.train)}   test ${percent(result.accuracy.test)}`,
        `time       ${result.seconds.toFixed(1)} s, ${result.steps} steps`,
        `digest     ${result.digest}`,
        `written    ${join(options.out, "model.onnx")}, ${join(options.out, "run.json")}`,
      ],
    };
  });
}

function readCheckpoint(path: string, recipe: string): TrainerState | undefined {
  if (!existsSync(path)) return undefined;
  const { state, recipe: written } = decodeState(readFileSync(path), path);
  if (written === recipe) return state;
  throw new LetheError(
    "usage",
    "USAGE_CHECKPOINT",
    `Expected ${path} to belong to this command, got one of other settings. Choose another --out, or delete it.`,
  );
}

async function accuracyOn(
  predictor: Predictor,
  architecture: Architecture,
  weights: ParameterSet,
  samples: Samples,
): Promise<number> {
  const logits = await predictor.logitsOf(weights, samples);
  const answers = answersOf(samples);
  const predicted = predictedClasses(logits, architecture.classes);
  const isCounted = (_: number, at: number): boolean => answers[at] !== IGNORED_LABEL;
  return accuracy(predicted.filter(isCounted), answers.filter(isCounted));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
