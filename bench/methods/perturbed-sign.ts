// The acceptance experiment of perturbed sign gradients: one class over a grid of noise, closeness and retention, with boundary shrink
// (all three 0) among it.
//
//   node bench/methods/perturbed-sign.ts [--seeds 1,2,3] [--again MODEL,…]
import { openExperiment, unlearned } from "./experiment.ts";
import { FASHION, fashionCase } from "./fashion-case.ts";
import type { Row } from "./result-file.ts";
import { least, most, shareOfRetraining, spread } from "./verdict.ts";

const SHRINK = "boundary shrink (γ = λ = ρ = 0)";
const GRID = {
  [SHRINK]: { noise: 0 },
  "perturbed-sign": {},
  "γ = 0.01": { noise: 0.01 },
  "γ = 1": { noise: 1 },
  "λ = 1, two steps": { closeness: 1, steps: 2 },
  "ρ = 0.1": { retention: 0.1 },
  "ρ = 1": { retention: 1 },
  "paper's labels (no second best)": { secondBest: false },
} as const;
const experiment = openExperiment({
  method: "perturbed-sign",
  title:
    "Fashion-MNIST, 5,000 images, three small convolutions with batch normalisation; one class is forgotten (`class`).",
  setup: { ...FASHION, grid: GRID },
});
for (const seed of experiment.seeds) {
  const of = await fashionCase({ id: "class", seed, forget: { classes: [0] } });
  await experiment.references(of);
  for (const [model, settings] of Object.entries(GRID)) {
    await experiment.row(of, model, () => unlearned(of, "perturbed-sign", settings));
  }
}

const figure = (row: Row, name: string): number => row.figures[name] ?? 0;
const score = (model: string) =>
  spread(experiment, "class", model, (row) => figure(row, "test") - figure(row, "forgetTest"));
const test = (model: string) => spread(experiment, "class", model, (row) => figure(row, "test"));
const names = Object.keys(GRID).filter((name) => name !== SHRINK);
const best = names.reduce((first, other) => (score(other).mean > score(first).mean ? other : first));
experiment.conclude([
  most(
    "class: accuracy on the forget class, test images",
    15,
    spread(experiment, "class", "perturbed-sign", (row) => figure(row, "forgetTest")),
  ),
  most(
    "class: test accuracy lost on other classes (points)",
    5,
    spread(
      experiment,
      "class",
      "perturbed-sign",
      (row, original) => figure(original, "test") - figure(row, "test"),
    ),
  ),
  least(
    `class: other classes less forget class, best of the grid (${best}), at least boundary shrink's`,
    score(SHRINK).mean,
    score(best),
  ),
  least(
    "class: test accuracy on other classes with ρ = 0.1, at least that with ρ = 0 less 0.5",
    test("perturbed-sign").mean - 0.5,
    test("ρ = 0.1"),
  ),
  least(
    "class: test accuracy on other classes with ρ = 1, at least that with ρ = 0.1 less 1",
    test("ρ = 0.1").mean - 1,
    test("ρ = 1"),
  ),
  most(
    "class: sample gradients, share of retraining (%)",
    10,
    shareOfRetraining(experiment, "class", "perturbed-sign"),
  ),
]);
