import { rmSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import type { Samples } from "../../data/dataset.ts";
import { digestSamples } from "../../data/digest-samples.ts";
import { loadDataset } from "../../data/index.ts";
import { fitNormaliser } from "../../data/normaliser.ts";
import { divideDataset, normalisedParts } from "../../data/parts.ts";
import { createPrefetcher } from "../../data/prefetch.ts";
import { LetheError } from "../../kernel/errors.ts";
import { keyFromSeed } from "../../kernel/key.ts";
import { type AnswerScores, scoreAnswers } from "../../metrics/answer-scores.ts";
import { adaptationSchema } from "../../models/adapt.ts";
import { layoutOfArchitecture } from "../../models/architecture.ts";
import { writeFileAtomically } from "../../storage/atomic-file.ts";
import { runModel } from "../../storage/run-model.ts";
import { SHARDS_FOLDER, sisaCheckpointFiles } from "../../storage/sisa-checkpoints.ts";
import { decodeState, encodeState } from "../../storage/trainer-state.ts";
import { createPredictor } from "../../training/predictor.ts";
import { trainByRecipe } from "../../training/recipe.ts";
import { divisionSchema } from "../../training/sisa/config.ts";
import { shardedRecipe } from "../../training/sisa/sharded-recipe.ts";
import { trainInShards } from "../../training/sisa/train-in-shards.ts";
import { type AdaptationOptions, adaptationInput, addAdaptationOptions } from "../adaptation.ts";
import { type CommonOptions, defineAction, parseCount, parseReal, parseSettings } from "../context.ts";
import { DATA_HELP } from "../data-argument.ts";
import { chooseModel, MODEL_HELP } from "../model-argument.ts";
import { digestFacts, readOwnCheckpoint } from "../own-checkpoint.ts";
import { parseSetting } from "../setting-argument.ts";
import { addTrainOptions, readTrainSettings, type TrainFlags } from "../train-settings.ts";

interface TrainOptions extends CommonOptions, AdaptationOptions, TrainFlags {
  readonly data: string;
  readonly model: string;
  readonly samples?: number;
  readonly validation: number;
  readonly normalise?: boolean;
  readonly prefetch?: boolean;
  readonly unmerged?: boolean;
  readonly sisa?: Readonly<Record<string, unknown>>;
}

/** What is held out from training unless asked otherwise: enough for a stopping rule, not missed by the model. */
const VALIDATION = 0.1;

/** `lethe train`: central training to an ONNX file, resumable. */
export function trainCommand(): Command {
  const command = new Command("train")
    .description(
      "Train a classifier or language model and write it as an ONNX file. A killed run goes on where its last epoch ended.",
    )
    .requiredOption("--data <dataset>", DATA_HELP)
    .option("--model <model>", MODEL_HELP, "mlp")
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
    .option("--normalise", "scale features by mean and deviation of the training part (in run.json)")
    .option(
      "--prefetch",
      "read batches ahead in a worker thread, which loads the data as well; changes no result",
    )
    .option(
      "--sisa <division>",
      "train in shards and slices, as shards=5,slices=4, so that `lethe unlearn --method sisa` forgets exactly and soon; the model " +
        "is the ensemble of the shards'",
      parseDivision,
    )
    .option("--unmerged", "write the adapters of --lora beside the weights instead of adding them up");
  addAdaptationOptions(addTrainOptions(command)).addHelpText(
    "after",
    "\nExample:\n  lethe train --data mnist --model cnn --epochs 3 --out out/mnist-cnn\n" +
      "  lethe train --data 'text:book.txt?length=128' --model gpt --optimizer adamw --schedule cosine:warmUp=0.05",
  );
  return defineAction<TrainOptions>(command, "out/train", async (options, context) => {
    const { samples, validation } = options;
    const settings = readTrainSettings(options, "lethe train");
    const started = performance.now();
    const dataset = await loadDataset(options.data);
    const raw = divideDataset(dataset, { samples, validation });
    const normaliser = options.normalise ? fitNormaliser(raw.train) : undefined;
    const parts = normaliser === undefined ? raw : normalisedParts(raw, normaliser);
    const model = chooseModel(options.model, dataset);
    for (const note of model.notes ?? []) context.say(note);
    const key = keyFromSeed(context.seed);
    const adaptation = parseSettings(adaptationSchema, adaptationInput(options), "lethe train");
    const isAdapted = Object.keys(adaptation).length > 0;
    const sisa = options.sisa && parseSettings(divisionSchema, options.sisa, "lethe train --sisa");
    if (sisa !== undefined && (isAdapted || options.prefetch)) {
      throw new LetheError(
        "usage",
        "USAGE_SETTINGS",
        "Expected --sisa without --train, --freeze, --lora and --prefetch.",
      );
    }
    const facts = {
      data: options.data,
      model: options.model,
      seed: context.seed,
      ...(samples === undefined ? {} : { samples }),
      validation,
      settings,
      ...(isAdapted ? { adaptation, isUnmerged: options.unmerged ?? false } : {}),
      ...(sisa === undefined ? {} : { sisa }),
      ...(normaliser === undefined ? {} : { normaliser }),
    };
    const recipe = digestFacts(facts);
    const stored = runModel(model, facts);
    const { architecture } = stored;
    const checkpoint = join(options.out, "checkpoint.safetensors");

    const positions = { subset: parts.trainPositions };
    await using prefetcher = options.prefetch
      ? createPrefetcher(
          { data: options.data, part: "train", ...positions, ...(normaliser && { normaliser }) },
          settings.batchSize,
        )
      : undefined;
    const resume = readOwnCheckpoint(checkpoint, recipe, decodeState)?.state;
    if (resume !== undefined) context.say(`Going on after step ${resume.step}.`);
    const title = `Training ${architecture.id} on ${dataset.title}`;
    const common = { architecture: model, samples: parts.train, runtime: context.runtime };
    const signal = context.signal && { signal: context.signal };
    const checkpoints = sisaCheckpointFiles(join(options.out, SHARDS_FOLDER));
    const { weights, ...work } =
      sisa === undefined
        ? await context
            .run(
              title,
              trainByRecipe(settings, {
                ...common,
                architecture,
                key,
                resume,
                batches: prefetcher?.batches,
                onEpoch: (reached) => writeFileAtomically(checkpoint, encodeState(reached, recipe)),
                ...signal,
              }),
            )
            .then(({ state, ...found }) => ({ ...found, steps: state.step }))
        : await context.run(
            title,
            trainInShards(
              settings,
              { ...common, ...shardedRecipe(settings, sisa, key), checkpoints, ...signal },
              context.runtime,
            ),
          );
    await using predictor = await createPredictor(architecture, context.runtime);
    const scoresOf = (part: Samples): Promise<AnswerScores> =>
      scoreAnswers((some) => predictor.logitsOf(weights, some), part, architecture.classes);
    const scores = {
      train: await scoresOf(parts.train),
      ...(parts.validation.count === 0 ? {} : { validation: await scoresOf(parts.validation) }),
      test: await scoresOf(parts.test),
    };
    const isText = parts.train.targets !== undefined;
    const result = {
      ...facts,
      ...(dataset.tokenizer === undefined ? {} : { tokenizer: dataset.tokenizer.digest }),
      parameters: layoutOfArchitecture(architecture).parameterLength,
      accuracy: ofParts(scores, ({ accuracy }) => accuracy),
      ...(isText ? { perplexity: ofParts(scores, ({ perplexity }) => perplexity) } : {}),
      ...work,
      seconds: (performance.now() - started) / 1000,
      digest: stored.digestOf(weights),
      trainedOn: digestSamples(parts.train),
      requests: [],
    };
    if (dataset.tokenizer !== undefined) {
      const record = `${JSON.stringify(dataset.tokenizer.record)}\n`;
      writeFileAtomically(join(options.out, "tokenizer.json"), record);
    }
    stored.write(options.out, weights, result);
    rmSync(checkpoint, { force: true });
    return {
      json: result,
      text: [
        `accuracy   train ${percent(result.accuracy.train)}   test ${percent(result.accuracy.test)}`,
        ...(isText
          ? [
              `perplexity train ${scores.train.perplexity.toFixed(2)}   test ${scores.test.perplexity.toFixed(2)}`,
            ]
          : []),
        `time       ${result.seconds.toFixed(1)} s, ${workText(work)}`,
        `digest     ${result.digest}`,
        `written    ${join(options.out, "model.onnx")}, ${join(options.out, "run.json")}`,
      ],
    };
  });
}

/** Scores of the parts of the data; without validation samples two. */
interface PartScores {
  readonly train: AnswerScores;
  readonly validation?: AnswerScores;
  readonly test: AnswerScores;
}

/** One figure of every part. */
function ofParts(
  { train, validation, test }: PartScores,
  figure: (scores: AnswerScores) => number,
): Readonly<Record<string, number>> & { readonly train: number; readonly test: number } {
  return {
    train: figure(train),
    ...(validation === undefined ? {} : { validation: figure(validation) }),
    test: figure(test),
  };
}

/** What training took: steps, or in shards what of them was trained now. */
function workText(
  work: { readonly steps: number } | { readonly slicesTrained: number; readonly slices: number },
): string {
  return "steps" in work ? `${work.steps} steps` : `${work.slicesTrained} of ${work.slices} slices`;
}

function parseDivision(text: string): Readonly<Record<string, unknown>> {
  return text
    .split(",")
    .reduce<Readonly<Record<string, unknown>>>((earlier, pair) => parseSetting(pair, earlier), {});
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
