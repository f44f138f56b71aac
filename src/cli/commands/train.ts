import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { AUGMENT_FORM, createAugmenter, parseAugmentations } from "../../data/augment/augmenter.ts";
import type { Samples } from "../../data/dataset.ts";
import { loadDataset } from "../../data/index.ts";
import { fitNormaliser, normalised } from "../../data/normaliser.ts";
import { createPrefetcher } from "../../data/prefetch.ts";
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
import { optimizerSchema } from "../../training/optimizers.ts";
import { createPredictor, type Predictor } from "../../training/predictor.ts";
import { scheduleSchema } from "../../training/schedules.ts";
import { createTrainer, type TrainerState } from "../../training/trainer.ts";
import { type CommonOptions, defineAction, parseCount, parseReal, parseSettings } from "../context.ts";
import { DATA_HELP } from "../data-argument.ts";
import { chooseModel, MODEL_HELP } from "../model-argument.ts";

/** The settings of `lethe train`; the only place where their defaults live. */
const trainSchema = z.strictObject({
  epochs: z.int().min(1).default(5),
  batchSize: z.int().min(1).default(64),
  learningRate: z.number().positive().optional(),
  optimizer: optimizerSchema.prefault({ id: "sgd", momentum: 0.9 }),
  schedule: scheduleSchema.prefault({ id: "constant" }),
  augment: z.string().optional().describe(AUGMENT_FORM),
  normalise: z.boolean().optional().describe("features by mean and deviation of the training part"),
});

/** Learning rates that suit the ready architectures. */
const DEFAULT_RATE = { sgd: 0.02, adam: 0.001, adamw: 0.001 } as const;

interface TrainOptions extends CommonOptions {
  readonly data: string;
  readonly model: string;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly optimizer?: string;
  readonly schedule?: string;
  readonly augment?: string;
  readonly normalise?: boolean;
  readonly prefetch?: boolean;
}

/** `lethe train`: central training to an ONNX file, resumable. */
export function trainCommand(): Command {
  const command = new Command("train")
    .description(
      "Train a classifier and write it as an ONNX file. A killed run goes on where its last epoch ended.",
    )
    .requiredOption("--data <dataset>", DATA_HELP)
    .option("--model <model>", MODEL_HELP, "mlp")
    .option("--epochs <count>", "passes over the data (default: 5)", parseCount)
    .option("--batch-size <count>", "samples in a step (default: 64)", parseCount)
    .option("--learning-rate <rate>", "base step size (default: 0.02 for sgd, 0.001 for adam)", parseReal)
    .option("--optimizer <id>", "sgd (momentum 0.9), adam or adamw")
    .option("--schedule <id>", "constant, linear or cosine")
    .option("--augment <steps>", `change images by chance: ${AUGMENT_FORM}`)
    .option("--normalise", "scale features by mean and deviation of the training part (in run.json)")
    .option(
      "--prefetch",
      "read batches ahead in a worker thread, which loads the data as well; changes no result",
    )
    .addHelpText(
      "after",
      "\nExample:\n  lethe train --data mnist --model cnn --epochs 3 --out out/mnist-cnn",
    );
  return defineAction<TrainOptions>(command, "out/train", async (options, context) => {
    const { optimizer, schedule, epochs, batchSize, learningRate, augment, normalise } = options;
    const settings = parseSettings(
      trainSchema,
      {
        epochs,
        batchSize,
        learningRate,
        optimizer: optimizer === undefined || optimizer === "sgd" ? undefined : { id: optimizer },
        schedule: schedule === undefined ? undefined : { id: schedule },
        augment,
        normalise,
      },
      "lethe train",
    );
    const started = performance.now();
    const loaded = await loadDataset(options.data);
    const normaliser = settings.normalise ? fitNormaliser(loaded.train) : undefined;
    const seen = (samples: Samples): Samples => (normaliser ? normalised(samples, normaliser) : samples);
    const dataset = { ...loaded, train: seen(loaded.train), test: seen(loaded.test) };
    const architecture = chooseModel(options.model, dataset);
    const key = keyFromSeed(context.seed);
    const augmenter =
      settings.augment === undefined
        ? {}
        : { augment: createAugmenter(parseAugmentations(settings.augment), dataset.train, key) };
    const facts = { data: options.data, model: options.model, seed: context.seed, settings };
    const recipe = digestJson(z.json().parse(JSON.parse(JSON.stringify(facts))));
    const checkpoint = join(options.out, "checkpoint.safetensors");

    await using trainer = await createTrainer(architecture, settings.optimizer, context.runtime);
    await using predictor = await createPredictor(architecture, context.runtime);
    await using prefetcher = options.prefetch
      ? createPrefetcher(
          { data: options.data, part: "train", ...(normaliser && { normaliser }) },
          settings.batchSize,
        )
      : undefined;
    const resume = readCheckpoint(checkpoint, recipe);
    if (resume !== undefined) context.say(`Going on after step ${resume.step}.`);
    const state = await context.run(
      `Training ${architecture.id} on ${dataset.title}`,
      train(trainer, initialWeights(architecture, deriveKey(key, "initial")), {
        samples: dataset.train,
        epochs: settings.epochs,
        batchSize: settings.batchSize,
        learningRate: settings.learningRate ?? DEFAULT_RATE[settings.optimizer.id],
        schedule: settings.schedule,
        key: deriveKey(key, "training"),
        onEpoch: (reached) => writeFileAtomically(checkpoint, encodeState(reached, recipe)),
        signal: context.signal,
        ...augmenter,
        ...(prefetcher && { batches: prefetcher.batches }),
        ...(resume === undefined ? {} : { resume }),
      }),
    );
    const result = {
      ...facts,
      ...(normaliser && { normaliser }),
      parameters: layoutOfArchitecture(architecture).parameterLength,
      accuracy: {
        train: await accuracyOn(predictor, architecture, state.weights, dataset.train),
        test: await accuracyOn(predictor, architecture, state.weights, dataset.test),
      },
      steps: state.step,
      seconds: (performance.now() - started) / 1000,
      digest: digestArrays(state.weights),
    };
    const model = writeClassifier(architecture, state.weights, { digest: result.digest });
    writeFileAtomically(join(options.out, "model.onnx"), model);
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
  return accuracy(predictedClasses(logits, architecture.classes), samples.labels);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
