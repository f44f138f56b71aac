import type { Samples } from "../data/dataset.ts";
import { fitNormaliser, type Normaliser, wasFittedOn } from "../data/normaliser.ts";
import type { Tokenizer } from "../data/text/tokenizer.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { Architecture } from "../models/architecture.ts";

/** Something beside the weights that may hold what forgotten samples taught. */
export interface Leftover {
  readonly what: string;
  /** Whether the forgotten samples had a part in it; `unknown` where nothing says so. */
  readonly saw: "yes" | "no" | "unknown";
  /** What was found and, where it saw them, what to do. */
  readonly words: string;
}

/** Where to look. */
export interface LeftoverRequest {
  readonly architecture: Architecture;
  readonly original: ParameterSet;
  readonly unlearned: ParameterSet;
  /** As the models see it: scaled where there is a normaliser. */
  readonly train: Samples;
  readonly retain: Uint32Array;
  readonly normaliser?: Normaliser | undefined;
  readonly tokenizer?: Tokenizer | undefined;
  /** Decay of the running average of the weights that the recipe asks for. */
  readonly averaging?: number | undefined;
  /** Names of files beside the two models. */
  readonly files: readonly string[];
}

/** Largest movement that is none: what rounding of single precision leaves. */
const ROUNDING = 1e-6;

/** What else, beside the weights, the forgotten samples went into: scaling, vocabulary, running statistics, averages, optimizer, files. */
export function findLeftovers(request: LeftoverRequest): readonly Leftover[] {
  return [
    scalingOf(request),
    vocabularyOf(request),
    statisticsOf(request),
    averageOf(request),
    optimizerOf(request),
    ...preparedOf(request),
  ];
}

function scalingOf({ normaliser, train, retain }: LeftoverRequest): Leftover {
  const what = "Scaling of the features";
  if (normaliser === undefined) {
    return {
      what,
      saw: "no",
      words: "Features are used as the files have them: nothing was computed from samples.",
    };
  }
  const kept = train.subset(retain);
  if (wasFittedOn(normaliser, kept)) {
    return { what, saw: "no", words: "Mean and deviation were computed from the retained samples alone." };
  }
  // Of features that are scaled already: mean 0 and deviation 1 where the forgotten samples made no difference.
  const { mean, deviation } = fitNormaliser(kept);
  const moved = Math.max(...mean.map(Math.abs), ...deviation.map((value) => Math.abs(value - 1)));
  return {
    what,
    saw: "yes",
    words: `Mean and deviation were computed with the forgotten samples among others, and every model here, the references too, sees features through them. Without those samples they would move by at most ${moved < ROUNDING ? "a millionth" : moved.toPrecision(2)} of a deviation. To be rid of it, train anew with scaling by the retained samples.`,
  };
}

function vocabularyOf({ tokenizer }: LeftoverRequest): Leftover {
  const what = "Vocabulary";
  if (tokenizer === undefined) return { what, saw: "no", words: "The data are no text: there is none." };
  return tokenizer.record.kind === "byte"
    ? { what, saw: "no", words: "Texts are read as bytes: no vocabulary was chosen." }
    : {
        what,
        saw: "yes",
        words: `Its ${tokenizer.record.tokens.length} tokens were chosen from ${tokenizer.record.fittedOn.texts} texts, the forgotten ones among them: a token that only they use still shows that they were there.`,
      };
}

function statisticsOf({ architecture, original, unlearned }: LeftoverRequest): Leftover {
  const what = "Running statistics of normalisation layers";
  const buffers = architecture.weights.filter(({ role }) => role === "buffer");
  if (buffers.length === 0) return { what, saw: "no", words: "The model has no such layers." };
  const kept = buffers.filter(({ name }) => {
    const [before, after] = [original.get(name), unlearned.get(name)];
    return before?.every((value, at) => value === after?.[at]);
  });
  return kept.length === 0
    ? {
        what,
        saw: "unknown",
        words: "Unlearning has moved all of them away from the original’s; the figures judge the result.",
      }
    : {
        what,
        saw: "yes",
        words: `${kept.length} of ${buffers.length} are the original’s, bit by bit: they were averaged over the forgotten samples too. The figures judge the model with them.`,
      };
}

function averageOf({ averaging }: LeftoverRequest): Leftover {
  const what = "Average of the weights over training";
  return averaging === undefined
    ? { what, saw: "no", words: "The recipe keeps none." }
    : {
        what,
        saw: "yes",
        words: `The original is an average of the weights (decay ${averaging}) over a training with the forgotten samples, and unlearning started from it. No other copy of the average is kept; the figures judge what was made of it.`,
      };
}

function optimizerOf({ files }: LeftoverRequest): Leftover {
  const what = "State of the optimizer";
  const found = files.filter((name) => name.endsWith("checkpoint.safetensors"));
  return found.length === 0
    ? { what, saw: "no", words: "None is kept: finished trainings delete their checkpoint." }
    : {
        what,
        saw: "yes",
        words: `Found ${found.join(", ")}: momentum and other state of a training that read the forgotten samples. Delete it.`,
      };
}

function preparedOf({ files }: LeftoverRequest): readonly Leftover[] {
  const found = files.filter((name) => /prepared-[\w-]+\.safetensors$/.test(name));
  return found.map((name) => ({
    what: "Preparation of a method",
    saw: "yes" as const,
    words: `Found ${name}: statistics of all training samples, the forgotten ones among them. Delete it; the method makes it anew from what is left.`,
  }));
}
