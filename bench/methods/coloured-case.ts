import type { Samples } from "../../src/data/dataset.ts";
import { loadDataset } from "../../src/data/index.ts";
import { deriveKey, keyFromSeed } from "../../src/kernel/key.ts";
import type { ParameterSet } from "../../src/kernel/parameters.ts";
import { accuracy } from "../../src/metrics/accuracy.ts";
import { predictedClasses } from "../../src/metrics/predictions.ts";
import { cnn } from "../../src/models/cnn.ts";
import { createPredictor } from "../../src/training/predictor.ts";
import { recipeSchema } from "../../src/training/recipe.ts";
import { colouredDigits } from "./coloured-digits.ts";
import { type ExperimentCase, RUNTIME } from "./experiment.ts";
import { positionsOf } from "./image-case.ts";

/** By (label, colour): a twentieth of all are labelled 1 and red. */
export const TRAINING_GROUPS = [1900, 1900, 300, 1900] as const;
const VALIDATION_GROUPS = [320, 320, 50, 320] as const;
const HOLDOUT_GROUPS = [475, 475, 75, 475] as const;
const TEST_GROUPS = [500, 500, 500, 500] as const;
const CLASSES = 2;
export const COLOURED_RECIPE = recipeSchema.parse({
  epochs: 6,
  learningRate: 0.03,
  schedule: { id: "cosine" },
});

const architecture = cnn([2, 28, 28], CLASSES, {
  id: "coloured-digits",
  blocks: [
    { channels: 8, kernel: 5, stride: 2, padding: 2 },
    { channels: 16, kernel: 5, stride: 2, padding: 2 },
  ],
  hidden: 64,
});

/** A share of the small group, the red ones labelled 1, is forgotten. Test samples are equally many of every group. */
export async function colouredCase(seed: number, share: number): Promise<ExperimentCase> {
  const digits = await loadDataset("mnist");
  const key = deriveKey(keyFromSeed(seed), "coloured digits");
  // Half of the test part measures accuracy, a quarter tunes, on a quarter attacks are fitted.
  const [even, first, second] = [0, 1, 3].map((rest) =>
    digits.test.subset(
      positionsOf(digits.test, (position) => (rest === 0 ? position % 2 === 0 : position % 4 === rest)),
    ),
  ) as [Samples, Samples, Samples];
  const training = colouredDigits(digits.train, TRAINING_GROUPS, key, "train");
  const small = positionsOf(training, (position) => isSmall(training, position));
  const forgotten = small.subarray(0, Math.round(share * small.length));
  const gone = new Set(forgotten);
  return {
    id: `share ${share}`,
    seed,
    key,
    architecture,
    recipe: COLOURED_RECIPE,
    scope: "group",
    forgetClasses: [],
    training,
    forget: training.subset(forgotten),
    retain: training.subset(positionsOf(training, (position) => !gone.has(position))),
    validation: colouredDigits(first, VALIDATION_GROUPS, key, "validation"),
    holdout: colouredDigits(second, HOLDOUT_GROUPS, key, "holdout"),
    test: colouredDigits(even, TEST_GROUPS, key, "test"),
  };
}

function isSmall(samples: Samples, position: number): boolean {
  return samples.labels[position] === 1 && samples.groups(position).colour === "red";
}

/**
 * Percentages on test samples: accuracy in the group that requests come from (`group`), and the mean over labels of the difference
 * between colours (`odds`, equalised odds).
 */
export async function groupFigures(
  of: ExperimentCase,
  weights: ParameterSet,
): Promise<Record<string, number>> {
  await using predictor = await createPredictor(of.architecture, RUNTIME);
  const { test } = of;
  const predicted = predictedClasses(await predictor.logitsOf(weights, test), CLASSES);
  const inGroup = (label: number, colour: string): number => {
    const rows = positionsOf(
      test,
      (position) => test.labels[position] === label && test.groups(position).colour === colour,
    );
    return (
      100 *
      accuracy(
        Int32Array.from(rows, (row) => predicted[row] as number),
        Int32Array.from(rows, () => label),
      )
    );
  };
  const differences = [0, 1].map((label) => Math.abs(inGroup(label, "red") - inGroup(label, "green")));
  return { group: inGroup(1, "red"), odds: ((differences[0] as number) + (differences[1] as number)) / 2 };
}
