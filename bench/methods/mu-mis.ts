// MU-Mis' acceptance experiment: one class and a tenth at random are forgotten with nothing but the model and those images, beside
// gradient ascent and random labels that have no more, each tuned; and with either half of the loss left out.
//
//   node bench/methods/mu-mis.ts [--seeds 1,2,3] [--again MODEL,…]
import { consume } from "../../src/kernel/events.ts";
import { deriveKey } from "../../src/kernel/key.ts";
import { iterate, ordersOf } from "../../src/methods/iterative.ts";
import { fedAs, minibatches } from "../../src/methods/parts/minibatches.ts";
import { randomlyLabelled } from "../../src/methods/parts/relabelling.ts";
import { createWorkbench } from "../../src/methods/workbench.ts";
import { crossEntropy } from "../../src/training/losses.ts";
import {
  cpuTimer,
  type ExperimentCase,
  gapTo,
  openExperiment,
  type Produced,
  RUNTIME,
  trained,
  unlearned,
} from "./experiment.ts";
import { FASHION, fashionCase } from "./fashion-case.ts";
import { currentCommit, type Row } from "./result-file.ts";
import { least, most, shareOfRetraining, spread } from "./verdict.ts";

const BATCH = 64;
const EPOCHS = 3;
const GAP = ["retain", "forget", "test"] as const;
const experiment = openExperiment({
  method: "mu-mis",
  title:
    "Fashion-MNIST, 5,000 images, three small convolutions with batch normalisation. Forgotten are one class (`class`) and a tenth of the images at random (`random`); no method sees a retain image.",
  setup: { ...FASHION, baselines: { epochs: EPOCHS, batchSize: BATCH } },
});
for (const seed of experiment.seeds) {
  const of = await fashionCase({ id: "class", seed, forget: { classes: [0] } });
  await experiment.references(of);
  await experiment.row(of, "mu-mis", () => unlearned(of, "mu-mis"));
  const ascent = await experiment.choose(of, "gradient-ascent", {
    method: "gradient-ascent",
    // Without its guard, which would take it back before anything is forgotten.
    trials: [1e-4, 2e-4, 3e-4, 4e-4, 6e-4].map((learningRate) => ({
      learningRate,
      epochs: EPOCHS,
      leastUtility: 0.01,
    })),
    score: (weights, accuracyOn) => scored(of, weights, accuracyOn),
  });
  await experiment.row(of, "gradient-ascent", () => unlearned(of, "gradient-ascent", ascent));
  // All the rates are kept and the best is compared with: no choice can be held against the baseline.
  for (const rate of [1e-4, 3e-4, 1e-3]) {
    await experiment.row(of, `random labels, rate ${rate}`, () => randomLabels(of, rate));
  }
  for (const terms of ["target", "irrelevant"] as const) {
    await experiment.row(of, `mu-mis, ${terms} term alone`, () =>
      unlearned(of, "mu-mis", { terms, maxPasses: 3 }),
    );
  }
  const random = await fashionCase({ id: "random", seed, forget: { share: 0.1 } });
  await experiment.references(random);
  await experiment.row(random, "mu-mis", () => unlearned(random, "mu-mis"));
}

const ofClass = (model: string, figure: (row: Row, original: Row, retrained: Row) => number) =>
  spread(experiment, "class", model, figure);
const gap = (model: string) => ofClass(model, (row, _, retrained) => gapTo(retrained, row, GAP));
const drop = (name: string, model: string, id = "class") =>
  spread(experiment, id, model, (row, original) => (original.figures[name] ?? 0) - (row.figures[name] ?? 0));
const forget = (model: string) => ofClass(model, ({ figures }) => figures.forget ?? 0);
const baselines = ["gradient-ascent", ...[1e-4, 3e-4, 1e-3].map((rate) => `random labels, rate ${rate}`)];
const enough = baselines.filter((model) => forget(model).mean <= 5);
const best = Math.min(...(enough.length > 0 ? enough : baselines).map((model) => gap(model).mean));
const distance = (pick: "own" | "original") =>
  spread(experiment, "random", "mu-mis", (row, original, retrained) =>
    Math.abs(((pick === "own" ? row : original).figures.forget ?? 0) - (retrained.figures.forget ?? 0)),
  );
experiment.conclude(
  [
    most("class: forget accuracy, training images", 5, forget("mu-mis")),
    most("class: retain accuracy lost (points)", 3, drop("retain", "mu-mis")),
    most(
      "class: average gap to retraining (retain, forget, test), at most half of the better of ascent and random labels that forget as much",
      best / 2,
      gap("mu-mis"),
    ),
    {
      claim: "class: the stopping rule ends every run",
      target: "all",
      figure: experiment
        .rows("class", "mu-mis")
        .map(({ stop }) => stop)
        .join(", "),
      isMet: experiment.rows("class", "mu-mis").every(({ stop }) => stop?.startsWith("rule")),
    },
    least(
      "class: forget accuracy by the target term alone, points above the whole loss",
      0,
      ofClass("mu-mis, target term alone", (row) => {
        const whole = experiment.rows("class", "mu-mis").find(({ seed }) => seed === row.seed);
        return (row.figures.forget ?? 0) - (whole?.figures.forget ?? 0);
      }),
    ),
    least(
      "class: retain accuracy lost by the irrelevant term alone (points)",
      5,
      drop("retain", "mu-mis, irrelevant term alone"),
    ),
    most(
      "class: sample gradients, share of retraining (%)",
      10,
      shareOfRetraining(experiment, "class", "mu-mis"),
    ),
    most(
      "random: forget accuracy's distance to retraining's, at most the trained model's (points)",
      distance("original").mean,
      distance("own"),
    ),
    most("random: test accuracy lost (points)", 2, drop("test", "mu-mis", "random")),
  ],
  [
    "With a whole class the wrong classes' sensitivity has no dip on this network but grows from the first step: by the paper's rule alone every run ended at its first look with nothing forgotten. With images drawn at random it falls to .8 to .9 of its first value, comes back, and the rule fires as described. Rates, and the 5 % at which a class counts as forgotten, were chosen on validation and forget images of the first seed.",
    "Random images: the figures asked for are reached, yet little is gained. Forget accuracy stays far above retraining's and the loss test tells the images as well as before.",
  ],
);

/** Accuracy kept on held-out images of other classes, less what is left on forget images. */
async function scored(
  of: ExperimentCase,
  weights: Produced["weights"],
  accuracyOn: (weights: Produced["weights"], samples: ExperimentCase["forget"]) => Promise<number>,
): Promise<number> {
  const kept = of.validation.subset(
    Uint32Array.from(of.validation.labels.keys()).filter(
      (position) => !of.forgetClasses.includes(of.validation.labels[position] as number),
    ),
  );
  return (await accuracyOn(weights, kept)) - (await accuracyOn(weights, of.forget));
}

/** Training on the forget images with wrong labels drawn anew in every epoch, and on nothing else. */
async function randomLabels(of: ExperimentCase, learningRate: number): Promise<Produced> {
  const { architecture, forget: samples } = of;
  const { weights } = await trained(of, "original");
  const key = deriveKey(of.key, "random labels");
  const timer = cpuTimer();
  await using workbench = createWorkbench({ architecture, runtime: RUNTIME });
  const step = await workbench.step({
    optimizer: { id: "sgd", momentum: 0.9, weightDecay: 0 },
    objective: (context) => {
      const { logits } = context.forward(context.features("forget"), { mode: "inference" });
      return { loss: crossEntropy(logits, context.labels("forget")) };
    },
  });
  const end = await consume(
    iterate(
      { weights },
      {
        epochs: EPOCHS,
        steps: (epoch) => {
          const wrong = randomlyLabelled(samples, {
            labels: "wrong",
            classes: architecture.classes,
            key: deriveKey(key, "labels", epoch),
            left: of.forgetClasses,
          });
          return ordersOf(
            step,
            fedAs("forget", minibatches(wrong, { batchSize: BATCH, key, epoch })),
            learningRate,
          );
        },
      },
    ),
  );
  const { gradientEvaluations } = workbench.evaluations();
  return { weights: end.weights, cpuSeconds: timer(), gradientEvaluations, commit: currentCommit() };
}
