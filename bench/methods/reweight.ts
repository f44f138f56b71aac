// REWEIGHT's acceptance experiment: coloured digits whose colour tells about the label, 5 % of which are labelled 1 and red. Half or nine
// tenths of those are forgotten by retraining and by fine-tuning, with and without REWEIGHT.
//
//   node bench/methods/reweight.ts [--seeds 1,2,3] [--again MODEL,…]
import { shown } from "./acceptance-images.ts";
import { COLOURED_RECIPE, colouredCase, groupFigures, TRAINING_GROUPS } from "./coloured-case.ts";
import { openExperiment, unlearned } from "./experiment.ts";
import type { Criterion } from "./result-file.ts";

const SHARES = [0.5, 0.9] as const;

const experiment = openExperiment({
  method: "reweight",
  title: "6,000 coloured digits; half or nine tenths of the 300 in the smallest of four groups are forgotten",
  setup: { groups: [...TRAINING_GROUPS], recipe: COLOURED_RECIPE, shares: SHARES },
  figures: groupFigures,
});

for (const seed of experiment.seeds) {
  for (const share of SHARES) {
    const of = await colouredCase(seed, share);
    await experiment.references(of);
    for (const inner of ["retrain", "fine-tune"]) {
      await experiment.row(of, `reweight ${inner}`, () => unlearned(of, "reweight", { inner }));
    }
    await experiment.row(of, "fine-tune", () => unlearned(of, "fine-tune"));
  }
}
experiment.conclude(SHARES.flatMap(criteriaAt), [
  "Of nine tenths 30 samples are left, three of them with a false label: repeated ten times they are learnt by heart and say little of the group. Half of the group, 150 samples, is enough.",
]);

function criteriaAt(share: number): Criterion[] {
  const mean = (model: string, figure: string): number =>
    experiment.mean(`share ${share}`, model, ({ figures }) => figures[figure] as number);
  const lost = mean("original", "group") - mean("retrained", "group");
  const recovered = mean("reweight retrain", "group") - mean("retrained", "group");
  const test = mean("reweight retrain", "test") - mean("retrained", "test");
  const tuned = mean("reweight fine-tune", "group") - mean("fine-tune", "group");
  const part = `${100 * share} % of the group`;
  return [
    {
      claim: `${part}: retraining loses test accuracy in the group`,
      target: "≥ 4 points",
      figure: `${shown(lost)} points (${shown(mean("original", "group"))} % to ${shown(mean("retrained", "group"))} %)`,
      isMet: lost >= 4,
    },
    {
      claim: `${part}: retraining with REWEIGHT recovers of that loss`,
      target: "≥ 60 %",
      figure: `${shown((100 * recovered) / lost)} % (${shown(mean("reweight retrain", "group"))} %)`,
      isMet: recovered >= 0.6 * lost,
    },
    {
      claim: `${part}: REWEIGHT keeps retraining's test accuracy`,
      target: "at most 1 point below",
      figure: `${shown(test)} points`,
      isMet: test >= -1,
    },
    {
      claim: `${part}: REWEIGHT raises the group's test accuracy under fine-tuning too`,
      target: "> 0 points",
      figure: `${shown(tuned)} points`,
      isMet: tuned > 0,
    },
  ];
}
