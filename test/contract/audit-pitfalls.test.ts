// The known ways of fooling an audit, and the tests that would catch each here. A test that is renamed or lost shows.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { drawAuditSets } from "../../src/audit/audit-sets.ts";
import { membershipRanks } from "../../src/audit/measures/membership-ranks.ts";
import { createScorer } from "../../src/audit/scored-model.ts";
import { stratifiedSplit } from "../../src/data/split.ts";
import { consume } from "../../src/kernel/events.ts";
import { keyFromSeed } from "../../src/kernel/key.ts";
import { sampleLosses } from "../../src/metrics/predictions.ts";
import { mean } from "../../src/metrics/statistics/summary.ts";
import { createModel } from "../../src/models/index.ts";
import { recipeSchema, trainByRecipe } from "../../src/training/recipe.ts";
import { blobs } from "../support/blobs.ts";

/** Pitfall, file of the test, and how its title begins. */
const COVERED: readonly (readonly [pitfall: string, file: string, title: string])[] = [
  [
    "retained samples as non-members",
    "src/metrics/metrics.test.ts",
    "with retained samples in place of new ones says ½",
  ],
  [
    "an AUC of ½ read as forgetting: the original passes too",
    "src/audit/verdict.test.ts",
    "refuses a pass when the original does not stand apart",
  ],
  [
    "over-forgetting sold as success (AUC far below ½)",
    "src/metrics/metrics.test.ts",
    "falls as far below ½ for forgetting overdone",
  ],
  ["one-sided judgement", "src/audit/verdict.test.ts", "fails a model on either side of the retrained ones"],
  [
    "no retrained model, or one seed",
    "test/e2e/audit.test.ts",
    "refuses with 4 when there are too few references",
  ],
  [
    "a retrained model that is not like the others",
    "src/audit/verdict.test.ts",
    "refuses everything when a retrained model fails",
  ],
  [
    "a model judged by itself",
    "src/audit/audit.test.ts",
    "weights that are no numbers, and a reference that is the unlearned model itself",
  ],
  [
    "the log of one model given twice (truth ratio always 1)",
    "src/metrics/text-metrics.test.ts",
    "forget quality says when both logs are one and the same",
  ],
  [
    "a default of ½ for a missing retrained model (PrivLeak)",
    "src/metrics/text-metrics.test.ts",
    "refuses to be relative to nothing",
  ],
  [
    "p without the distance",
    "src/metrics/text-metrics.test.ts",
    "forget quality gives the distance beside p",
  ],
  [
    "the head changed, all features kept",
    "src/audit/audit.test.ts",
    "fails the original itself, a model with a new head on old features, and noise",
  ],
  [
    "easy random forget sets that leave no mark",
    "src/audit/verdict.test.ts",
    "refuses a pass when the original does not stand apart",
  ],
  [
    "a few remembered samples drowned in a mean",
    "src/audit/measures/trace.test.ts",
    "tells models with and without few remembered samples apart",
  ],
  [
    "the few badly protected samples in the shade of a mean",
    "src/metrics/attacks/unlearning-lira.test.ts",
    "keeps the few samples that are badly protected",
  ],
  [
    "privacy of retained samples made worse",
    "src/metrics/attacks/unlearning-lira.test.ts",
    "serves retained samples just as well",
  ],
  [
    "duplicates of forgotten samples left among the retained",
    "src/audit/duplicates.test.ts",
    "counts exact copies everywhere and near ones",
  ],
  [
    "a normaliser fitted on forgotten samples",
    "src/audit/leftovers.test.ts",
    "is scaling that was computed with them",
  ],
  [
    "running statistics of normalisation left as they were",
    "src/audit/leftovers.test.ts",
    "is running statistics that unlearning left",
  ],
  [
    "averaged weights, vocabulary and optimizer state that hold forgotten samples",
    "src/audit/leftovers.test.ts",
    "is an average of the weights, a vocabulary, an optimizer's state",
  ],
  [
    "entropy with the wrong columns, for years",
    "src/metrics/attacks/svc-membership.test.ts",
    "the historical modified entropy cannot tell them apart",
  ],
  [
    "an attack fitted and judged on the same samples",
    "src/metrics/attacks/loss-regression-membership.test.ts",
    "judges samples the line was not fitted to",
  ],
  [
    "classes of unlike difficulty taken for memory",
    "src/audit/measures/measures.test.ts",
    "are near one half for samples of one kind",
  ],
  ["KLoM without its floor", "src/metrics/klom.test.ts", "reports the floor beside the figure"],
  [
    "too few models for a score",
    "src/metrics/forgetting-quality.test.ts",
    "gives half the points with every half unit, none beyond",
  ],
  [
    "settings tuned on the retrained model",
    "src/planning/comparison/compare-methods.test.ts",
    "judges by distance to retraining",
  ],
  [
    "an attack's success on samples of the target class",
    "src/metrics/attack-success.test.ts",
    "attack success does not count samples that are of the attacker's class",
  ],
  [
    "a reference trained on forgotten samples",
    "src/audit/audit.test.ts",
    "references that see forgotten samples",
  ],
  [
    "knowledge that outputs hide and relearning shows",
    "src/audit/relearning.test.ts",
    "takes a model that forgot nothing no step",
  ],
];

describe("every known pitfall has a test", () => {
  for (const [pitfall, file, title] of COVERED) {
    it(`${pitfall}: ${file}`, () => {
      expect(readFileSync(join(import.meta.dirname, "../..", file), "utf8")).toContain(title);
    });
  }
});

const architecture = createModel("mlp:32", { inputShape: [16], classes: 4 });
const runtime = { threads: 1, spinning: false };
const train = blobs({ featureShape: [16], classes: 4, spread: 0.5, count: 80, seed: 1 });
const test = blobs({ featureShape: [16], classes: 4, spread: 0.5, count: 300, seed: 2 });
const all = Uint32Array.from(train.labels, (_, position) => position);
const [forget, retain] = [all.filter((at) => at % 5 === 0), all.filter((at) => at % 5 !== 0)];

describe("the samples of an audit", () => {
  it("are four sets without a sample in common, the unseen ones of no model's training", () => {
    for (const validation of [train.subset([]), test.subset([...Array(150).keys()])]) {
      const held = validation.count === 0 ? test : test.subset([...Array(150).keys()].map((at) => at + 150));
      const sets = drawAuditSets({ train, validation, test: held, forget, retain });
      const ids = Object.values(sets).map((samples) =>
        Array.from(samples.labels, (_, position) => samples.id(position)),
      );
      expect(new Set(ids.flat()).size).toBe(ids.flat().length);
      const trained = new Set(Array.from(all, (position) => train.id(position)));
      for (const id of [...(ids[2] ?? []), ...(ids[3] ?? [])]) expect(trained.has(id)).toBe(false);
    }
  });

  it("show a memory that retained samples in place of unseen ones hide", async () => {
    const recipe = recipeSchema.parse({ epochs: 60, batchSize: 8, learningRate: 0.1 });
    const { weights } = await consume(
      trainByRecipe(recipe, { architecture, samples: train, key: keyFromSeed(1), runtime }),
    );
    const sets = drawAuditSets({ train, validation: train.subset([]), test, forget, retain });
    await using scorer = await createScorer(architecture, sets, runtime);
    const model = await scorer.score(weights);
    const evidence = (set: "forget" | "retain" | "unseen") => {
      const { logits, labels, classes } = model[set];
      return { scores: sampleLosses(logits, labels, classes).map((loss) => -loss), labels };
    };
    const area = (others: "retain" | "unseen"): number =>
      mean(membershipRanks(evidence("forget"), evidence(others)));
    expect(Math.abs(area("retain") - 0.5)).toBeLessThan(0.15);
    expect(area("unseen")).toBeGreaterThan(area("retain") + 0.1);
  });

  it("are scored as the model is used: no dropout, no statistics of the batch, whatever company a sample is in", async () => {
    const pictures = blobs({ featureShape: [1, 8, 8], classes: 3, spread: 0.3, count: 90, seed: 3 });
    const normed = createModel("cnn-bn", { inputShape: [1, 8, 8], classes: 3 });
    const { weights } = await consume(
      trainByRecipe(recipeSchema.parse({ epochs: 1, batchSize: 16 }), {
        architecture: normed,
        samples: pictures,
        key: keyFromSeed(1),
        runtime,
      }),
    );
    const { train: first, test: second } = stratifiedSplit(pictures.labels, 3, 1 / 2, keyFromSeed(2));
    const some = pictures.subset(first);
    const score = async (forgotten: typeof pictures) => {
      const sets = { forget: forgotten, retain: some, unseen: some, test: pictures.subset(second) };
      await using scorer = await createScorer(normed, sets, runtime);
      return (await scorer.score(weights)).forget.logits;
    };
    const [alone, together] = [await score(pictures.subset([5])), await score(pictures)];
    const own = together.subarray(5 * 3, 6 * 3);
    expect(alone.every((value, at) => Math.abs(value - (own[at] as number)) < 1e-4)).toBe(true);
  });
});
