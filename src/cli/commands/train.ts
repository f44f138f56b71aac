import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { answersOf } from "../../data/answers.ts";
import { IGNORED_LABEL, type Samples } from "../../data/dataset.ts";
import { loadDataset } from "../../data/index.ts";
import { digestArrays, digestJson } from "../../kernel/digest.ts";
import { LetheError } from "../../kernel/errors.ts";
import { deriveKey, keyFromSeed } from "../../kernel/key.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { accuracy } from "../../metrics/accuracy.ts";
import { predictedClasses } from "../../metrics/predictions.ts";
import { type Architecture, initialWeights, layoutOfArchitecture } from "../../models/architecture.ts";
import { writeClassifier } from "../../models/onnx-model.ts";
import { writeFileAtomically } from "../../storage/atomic-file.ts";
import { decodeState, encodeState } from "../../storage/trainer-state.ts";
import { train } from "../../training/loop.ts";
import type { TrainerState } from "../../training/objective.ts";
import { createPredictor, type Predictor } from "../../training/predictor.ts";
import { createTrainer } from "../../training/trainer.ts";
import { averagedWeights } from "../../training/weight-average.ts";
import { type CommonOptions, defineAction } from "../context.ts";
import { chooseModel, MODEL_HELP } from "../model-argument.ts";
import { addTrainOptions, baseRate, readTrainSettings, type TrainFlags } from "../train-settings.ts";

interface TrainOptions extends CommonOptions, TrainFlags {
  readonly data: string;
  readonly model: string;
}

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
    .option("--model <model>", MODEL_HELP, "mlp");
  addTrainOptions(command).addHelpText(
    "after",
    "\nExample:\n  lethe train --data mnist --model cnn --epochs 3 --out out/mnist-cnn\n" +
      "  lethe train --data 'text:book.txt?length=128' --model gpt --optimizer adamw --schedule cosine:warmUp=0.05",
  );
  return defineAction<TrainOptions>(command, "out/train", async (options, context) => {
    const settings = readTrainSettings(options, "lethe train");
    const started = performance.now();
    const dataset = await loadDataset(options.data);
    const architecture = chooseModel(options.model, dataset);
    const key = keyFromSeed(context.seed);
    const facts = { data: options.data, model: options.model, seed: context.seed, settings };
    const recipe = digestJson(z.json().parse(JSON.parse(JSON.stringify(facts))));
    const checkpoint = join(options.out, "checkpoint.safetensors");

    const start = initialWeights(architecture, deriveKey(key, "initial"));
    const { averaging, optimizer, precision } = settings;

    await using trainer = await createTrainer(architecture, optimizer, {
      ...context.runtime,
      ...settings,
      precision,
      anchor: start,
    });
    await using predictor = await createPredictor(architecture, context.runtime);
    const resume = readCheckpoint(checkpoint, recipe);
    if (resume !== undefined) context.say(`Going on after step ${resume.step}.`);
    const state = await context.run(
      `Training ${architecture.id} on ${dataset.title}`,
      train(trainer, start, {
        samples: dataset.train,
        epochs: settings.epochs,
        batchSize: settings.batchSize,
        learningRate: baseRate(settings),
        schedule: settings.schedule,
        key: deriveKey(key, "training"),
        onEpoch: (reached) => writeFileAtomically(checkpoint, encodeState(reached, recipe)),
        signal: context.signal,
        ...(resume === undefined ? {} : { resume }),
      }),
    );
    const weights = averaging === undefined ? state.weights : averagedWeights(state, averaging);
    const result = {
      ...facts,
      ...(dataset.tokenizer === undefined ? {} : { tokenizer: dataset.tokenizer.digest }),
      parameters: layoutOfArchitecture(architecture).parameterLength,
      accuracy: {
        train: await accuracyOn(predictor, architecture, weights, dataset.train),
        test: await accuracyOn(predictor, architecture, weights, dataset.test),
      },
      steps: state.step,
      seconds: (performance.now() - started) / 1000,
      digest: digestArrays(weights),
    };
    const model = writeClassifier(architecture, weights, { digest: result.digest });
    writeFileAtomically(join(options.out, "model.onnx"), model);
    if (dataset.tokenizer !== undefined) {
      const record = JSON.stringify(dataset.tokenizer.record);
      writeFileAtomically(join(options.out, "tokenizer.json"), `${record}\n`);
    }
    writeFileAtomically(join(options.out, "run.json"), `${JSON.stringify(result, undefined, 2)}\n`);
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
