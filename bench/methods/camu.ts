// CaMU's acceptance experiment: the zeros among 6,000 MNIST images, and a tenth of 6,000 Fashion-MNIST images, are forgotten; then
// without the representation level, without noise in the counterfactuals, and by negative gradients in as many steps. Settings are
// chosen on validation data in the first seed.
//
//   node bench/methods/camu.ts [--seeds 1,2,3] [--again MODEL,…]
import {
  acceptanceNetwork,
  COUNTS,
  chooseFor,
  fashionCase,
  RANDOM,
  RECIPE,
  shown,
} from "./acceptance-images.ts";
import { type ExperimentCase, openExperiment, unlearned } from "./experiment.ts";
import { imageCase } from "./image-case.ts";
import type { Row } from "./result-file.ts";

const ZEROS = { classes: [0] } as const;
const MNIST = { training: 6000, validation: 1000, holdout: 1000 } as const;
const MNIST_RECIPE = { epochs: 10, learningRate: 0.03, schedule: { id: "cosine" } } as const;
/** Samples a step of CaMU goes over: forget and retain samples, on two levels. */
const PASSES = 4;
/** What the gaps are summed over. */
const NAMES = ["forget", "retain", "test", "auc"] as const;

const experiment = openExperiment({
  method: "camu",
  title:
    "The zeros of 6,000 MNIST images, and a tenth of 6,000 Fashion-MNIST images, on a small convolutional network",
  setup: {
    class: { ...MNIST, recipe: MNIST_RECIPE, forget: ZEROS },
    random: { ...COUNTS, recipe: RECIPE, forget: RANDOM },
  },
});

for (const seed of experiment.seeds) {
  const zeros = await imageCase({
    id: "class",
    seed,
    dataset: "mnist",
    ...MNIST,
    recipe: MNIST_RECIPE,
    architecture: acceptanceNetwork,
    forget: ZEROS,
  });
  await runCase(zeros);
  await runCase(await fashionCase({ id: "random", seed, forget: RANDOM }));
}
conclude();

/** Every model of a case. */
async function runCase(of: ExperimentCase): Promise<void> {
  await experiment.references(of);
  const chosen = await chooseFor(experiment, of, "camu");
  const own = await experiment.row(of, "camu", () => unlearned(of, "camu", chosen));
  await experiment.row(of, "two passes", () =>
    unlearned(of, "camu", { ...chosen, epochs: 2, leastSteps: 0 }),
  );
  await experiment.row(of, "output level alone", () => unlearned(of, "camu", { ...chosen, featureRate: 0 }));
  await experiment.row(of, "no noise", () => unlearned(of, "camu", { ...chosen, noise: 0 }));
  // Adam, minibatches of 32, the rate of the output level: the same steps along the negative gradient.
  const steps = own.gradientEvaluations / PASSES / of.forget.count;
  await experiment.row(of, "negative gradient", () =>
    unlearned(of, "gradient-ascent", {
      epochs: Math.max(1, Math.round(steps)),
      batchSize: 32,
      learningRate: chosen.outputRate ?? 1e-3,
      optimizer: { id: "adam", weightDecay: 1e-4 },
      // To see where it leads.
      leastUtility: 1e-3,
    }),
  );
}

function conclude(): void {
  const mean = (id: string, model: string, figure: string): number =>
    experiment.mean(id, model, ({ figures }) => figures[figure] as number);
  const distance = (id: string, model: string, figure: string): number => {
    const found = experiment.rows(id, model).map((row) => {
      const retrained = experiment.rows(id, "retrained").find(({ seed }) => seed === row.seed) as Row;
      return Math.abs((row.figures[figure] as number) - (retrained.figures[figure] as number));
    });
    return found.reduce((sum, gap) => sum + gap, 0) / found.length;
  };
  const gaps = (model: string): number =>
    NAMES.reduce((sum, name) => sum + distance("random", model, name), 0);
  const below = mean("class", "retrained", "test") - mean("class", "camu", "test");
  const seconds = (model: string): number => experiment.mean("class", model, ({ cpuSeconds }) => cpuSeconds);
  const share = (100 * seconds("camu")) / seconds("retrained");
  const twoPasses = (100 * seconds("two passes")) / seconds("retrained");
  const kept = mean("random", "original", "retain") - mean("random", "camu", "retain");
  const forget = distance("random", "camu", "forget");
  const [attack, ofOriginal, ofRetrained] = ["camu", "original", "retrained"].map((model) =>
    mean("random", model, "auc"),
  ) as [number, number, number];
  const lost = (model: string): number =>
    mean("random", "original", "retain") - mean("random", model, "retain");
  experiment.conclude(
    [
      {
        claim: "Zeros: accuracy on forget samples",
        target: "≤ 5 %",
        figure: `${shown(mean("class", "camu", "forget"))} %`,
        isMet: mean("class", "camu", "forget") <= 5,
      },
      {
        claim: "Zeros: accuracy on test samples of the forgotten class",
        target: "≤ 5 %",
        figure: `${shown(mean("class", "camu", "forgetTest"))} %`,
        isMet: mean("class", "camu", "forgetTest") <= 5,
      },
      {
        claim: "Zeros: test accuracy on kept classes is that of retraining",
        target: "within 1.5 points",
        figure: `${shown(below)} points below`,
        isMet: below <= 1.5,
      },
      {
        claim: "Zeros: time, as a share of retraining's",
        target: "≤ 15 %",
        figure: `${shown(share)} %`,
        isMet: share <= 15,
      },
      {
        claim: "Zeros, the authors' two passes: accuracy on forget samples, and time",
        target: "≤ 5 %, and ≤ 15 % of retraining's",
        figure: `${shown(mean("class", "two passes", "forget"))} %, and ${shown(twoPasses)} %`,
        isMet: mean("class", "two passes", "forget") <= 5 && twoPasses <= 15,
      },
      {
        claim: "Random tenth: accuracy on retain samples is the trained model's",
        target: "within 1.5 points",
        figure: `${shown(kept)} points below`,
        isMet: kept <= 1.5,
      },
      {
        claim: "Random tenth: accuracy on forget samples is that of retraining",
        target: "within 2 points",
        figure: `${shown(forget)} points off`,
        isMet: forget <= 2,
      },
      {
        claim: "Random tenth: the loss test's AUC is not above the trained model's",
        target: "≤ it, and within 3 points of retraining's",
        figure: `${shown(attack)} against ${shown(ofOriginal)} trained and ${shown(ofRetrained)} retrained`,
        isMet: attack <= ofOriginal && Math.abs(attack - ofRetrained) <= 3,
      },
      ...["output level alone", "no noise"].map((model) => ({
        claim: `Random tenth, ${model}: the sum of distances to retraining is larger`,
        target: `more than ${shown(gaps("camu"))} points`,
        figure: `${shown(gaps(model))} points`,
        isMet: gaps(model) > gaps("camu"),
      })),
      {
        claim: "Random tenth: negative gradients in as many steps lose more accuracy on retain samples",
        target: `more than ${shown(lost("camu"))} points`,
        figure: `${shown(lost("negative gradient"))} points`,
        isMet: lost("negative gradient") > lost("camu"),
      },
    ],
    [
      "On a tenth of the samples what is left after the search is far from retraining, and the representation level adds next to nothing: 600 pairs are few, and the retain samples that are not drawn are forgotten with them.",
      "The original training lasts ten epochs on MNIST, half the authors', so that the same steps are twice the share of it.",
    ],
  );
}
