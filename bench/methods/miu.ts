// MIU's acceptance experiment: coloured digits whose colour tells about the label, 5 % of which are labelled 1 and red. Half or nine
// tenths of those are forgotten by MIU, with parts left out, and by other methods with and without REWEIGHT; each model is held against
// retraining with REWEIGHT. Settings are chosen on validation data in the first seed.
//
//   node bench/methods/miu.ts [--seeds 1,2,3] [--again MODEL,…]
import { chooseFor, shown } from "./acceptance-images.ts";
import { COLOURED_RECIPE, colouredCase, groupFigures, TRAINING_GROUPS } from "./coloured-case.ts";
import { openExperiment, unlearned } from "./experiment.ts";
import type { Criterion, Row } from "./result-file.ts";

const SHARES = [0.5, 0.9] as const;
const OTHERS = ["fine-tune", "neg-grad-plus", "scrub"] as const;
/** What the paper's average gap is over. */
const NAMES = ["retain", "forget", "test", "mia", "odds", "group"] as const;
const REFERENCE = "reweight retrain";

const experiment = openExperiment({
  method: "miu",
  title: "6,000 coloured digits; half or nine tenths of the 300 in the smallest of four groups are forgotten",
  setup: { groups: [...TRAINING_GROUPS], recipe: COLOURED_RECIPE, shares: SHARES },
  figures: groupFigures,
});

for (const seed of experiment.seeds) {
  for (const share of SHARES) {
    const of = await colouredCase(seed, share);
    await experiment.references(of);
    await experiment.row(of, REFERENCE, () => unlearned(of, "reweight", { inner: "retrain" }));
    const chosen = await chooseFor(experiment, of, "miu", {
      trials: [{}, { learningRate: 1e-3 }, { epochs: 5 }],
    });
    await experiment.row(of, "miu", () => unlearned(of, "miu", chosen));
    await experiment.row(of, "no reweighting", () => unlearned(of, "miu", { ...chosen, reweight: false }));
    await experiment.row(of, "no alignment", () => unlearned(of, "miu", { ...chosen, lambda: 0 }));
    await experiment.row(of, "no forgetting", () => unlearned(of, "miu", { ...chosen, forgettingEpochs: 0 }));
    for (const inner of OTHERS) {
      const settings = await chooseFor(experiment, of, inner);
      await experiment.row(of, inner, () => unlearned(of, inner, settings));
      await experiment.row(of, `reweight ${inner}`, () => unlearned(of, "reweight", { inner, settings }));
    }
  }
}
experiment.conclude(SHARES.flatMap(criteriaAt));

function criteriaAt(share: number): Criterion[] {
  const id = `share ${share}`;
  const mean = (model: string, figure: string): number =>
    experiment.mean(id, model, ({ figures }) => figures[figure] as number);
  // 100 less the mean distance from the reference; 100 is equality.
  const gap = (model: string): number => {
    const found = experiment.rows(id, model).map((row) => {
      const reference = experiment.rows(id, REFERENCE).find(({ seed }) => seed === row.seed) as Row;
      const distances = NAMES.map((name) =>
        Math.abs((row.figures[name] as number) - (reference.figures[name] as number)),
      );
      return 100 - distances.reduce((sum, distance) => sum + distance, 0) / NAMES.length;
    });
    return found.reduce((sum, one) => sum + one, 0) / found.length;
  };
  const own = gap("miu");
  const group = (model: string): number => mean(model, "group");
  const drop = mean("original", "test") - mean("miu", "test");
  const ofReference = mean("original", "test") - mean(REFERENCE, "test");
  const part = `${100 * share} % of the group`;
  return [
    ...OTHERS.map((inner) => ({
      claim: `${part}: average gap above that of ${inner}`,
      target: "by 2 points",
      figure: `${shown(own)} against ${shown(gap(inner))}`,
      isMet: own >= gap(inner) + 2,
    })),
    ...OTHERS.map((inner) => ({
      claim: `${part}: average gap is that of ${inner} with REWEIGHT`,
      target: "at most 0.5 points below",
      figure: `${shown(own)} against ${shown(gap(`reweight ${inner}`))}`,
      isMet: own >= gap(`reweight ${inner}`) - 0.5,
    })),
    {
      claim: `${part}: test accuracy in the group is at least retraining's`,
      target: `≥ ${shown(group("retrained"))} %`,
      figure: `${shown(group("miu"))} %`,
      isMet: group("miu") >= group("retrained"),
    },
    {
      claim: `${part}: drop of the test accuracy`,
      target: "≤ 2 points",
      figure: `${shown(drop)} points (retraining with REWEIGHT: ${shown(ofReference)})`,
      isMet: drop <= 2,
    },
    {
      claim: `${part}: without reweighting, test accuracy in the group is lower`,
      target: `below ${shown(group("miu"))} %`,
      figure: `${shown(group("no reweighting"))} %`,
      isMet: group("no reweighting") < group("miu"),
    },
  ];
}
