// LTU's acceptance experiment: a tenth of the images at random is forgotten with a fifth of the others at hand; the same without
// virtual steps and without harmony, fine-tuning, and ascent beside descent; one class for its cost.
//
//   node bench/methods/ltu.ts [--seeds 1,2,3] [--again MODEL,…]
import { drawnSamples } from "../../src/methods/parts/drawn-samples.ts";
import { openExperiment, unlearned } from "./experiment.ts";
import { FASHION, fashionCase } from "./fashion-case.ts";
import type { Row } from "./result-file.ts";
import { least, most, shareOfRetraining, spread } from "./verdict.ts";

const SHARE = 0.2;
const VARIANTS = {
  ltu: {},
  "ltu without virtual steps": { alpha: 0 },
  "ltu without harmony": { harmony: "none" },
} as const;
const ASCENT = "ascent and descent";
const experiment = openExperiment({
  method: "ltu",
  title:
    "Fashion-MNIST, 5,000 images, three small convolutions with batch normalisation. Forgotten are a tenth of the images at random (`random`) and one class (`class`); a fifth of the retain images is at hand.",
  setup: { ...FASHION, retainShare: SHARE },
});
for (const seed of experiment.seeds) {
  const of = await fashionCase({ id: "random", seed, forget: { share: 0.1 } });
  const known = drawnSamples(of.retain, Math.round(SHARE * of.retain.count), of.key);
  await experiment.references(of);
  const full = await experiment.row(of, "ltu", () => unlearned(of, "ltu", VARIANTS.ltu));
  for (const [name, settings] of Object.entries(VARIANTS)) {
    await experiment.row(of, name, () => unlearned(of, "ltu", settings));
  }
  // As many sample gradients as the whole method takes.
  const epochs = Math.max(1, Math.round(full.gradientEvaluations / known.count));
  await experiment.row(of, "fine-tune", () => unlearned(of, "fine-tune", { epochs }, { retain: known }));
  const halved = Math.max(1, Math.round(epochs / 2));
  const settings = await experiment.choose(of, ASCENT, {
    method: "neg-grad-plus",
    trials: [0.95, 0.99].flatMap((retainWeight) =>
      [0.001, 0.01].map((learningRate) => ({ retainWeight, learningRate, epochs: halved })),
    ),
    score: async (weights, accuracyOn) => {
      const validation = await accuracyOn(weights, of.validation);
      return validation - Math.abs((await accuracyOn(weights, of.forget)) - validation);
    },
  });
  await experiment.row(of, ASCENT, () => unlearned(of, "neg-grad-plus", settings, { retain: known }));
  const whole = await fashionCase({ id: "class", seed, forget: { classes: [0] } });
  await experiment.references(whole);
  await experiment.row(whole, "ltu", () => unlearned(whole, "ltu"));
}

const figure = (row: Row, name: string): number => row.figures[name] ?? 0;
const lost = (model: string) =>
  spread(experiment, "random", model, (row, original) => figure(original, "test") - figure(row, "test"));
/** How much of the way from the trained to the retrained model's MIA-efficacy is left, in per cent. */
const left = (model: string) =>
  spread(experiment, "random", model, (row, original, retrained) =>
    Math.abs(
      (100 * (figure(row, "mia") - figure(retrained, "mia"))) /
        (figure(original, "mia") - figure(retrained, "mia")),
    ),
  );
const aucLeft = spread(experiment, "random", "ltu", (row, original, retrained) =>
  Math.abs(
    (100 * (figure(row, "auc") - figure(retrained, "auc"))) /
      (figure(original, "auc") - figure(retrained, "auc")),
  ),
);
const distance = (model: string) =>
  spread(experiment, "random", model, (row, _, retrained) =>
    Math.abs(figure(row, "forget") - figure(retrained, "forget")),
  );
/** Points: test accuracy lost, distance of forget accuracy, and of MIA-efficacy, to retraining. */
const badness = (model: string): number =>
  (Math.abs(lost(model).mean) +
    distance(model).mean +
    spread(experiment, "random", model, (row, _, retrained) =>
      Math.abs(figure(row, "mia") - figure(retrained, "mia")),
    ).mean) /
  3;
experiment.conclude([
  most("random: test accuracy lost (points)", 2, lost("ltu")),
  most(
    "random: test accuracy lost, at most that of ascent and descent (points)",
    lost(ASCENT).mean,
    lost("ltu"),
  ),
  most("random: attack by a support vector machine, part of the gap to retraining left (%)", 50, left("ltu")),
  most("random: loss test, part of the gap to retraining left (%)", 50, aucLeft),
  most(
    "random: forget accuracy's distance to retraining's, at most that of fine-tuning (points)",
    distance("fine-tune").mean,
    distance("ltu"),
  ),
  ...["ltu without virtual steps", "ltu without harmony"].map((model) => ({
    claim: `random: mean distance, against ${model} (points)`,
    target: `≤ ${(badness(model) + 0.5).toFixed(1)}`,
    figure: badness("ltu").toFixed(1),
    isMet: badness("ltu") <= badness(model) + 0.5,
  })),
  most(
    "class: forget accuracy, training images",
    5,
    spread(experiment, "class", "ltu", (row) => figure(row, "forget")),
  ),
  least(
    "class: test accuracy kept on other classes, points to the trained model's",
    -2,
    spread(experiment, "class", "ltu", (row, original) => figure(row, "test") - figure(original, "test")),
  ),
  most("class: sample gradients, share of retraining (%)", 10, shareOfRetraining(experiment, "class", "ltu")),
]);
