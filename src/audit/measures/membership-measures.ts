import { type Key, keyFromSeed } from "../../kernel/key.ts";
import { drawRows } from "../../metrics/attacks/draw-rows.ts";
import { svcMembership } from "../../metrics/attacks/svc-membership.ts";
import { margins } from "../../metrics/margins.ts";
import { sampleLosses } from "../../metrics/predictions.ts";
import { type ScoredSamples, selectScored } from "../../metrics/scored-samples.ts";
import type { ScoredModel } from "../scored-model.ts";
import type { Measure } from "./measure.ts";
import { type Evidence, membershipRanks } from "./membership-ranks.ts";

/** Two hundredths of an area under a curve: an attacker gains next to nothing by them. */
const SMALL_AREA = 0.02;
/** Members and non-members the support vector machine is taught with: its cost grows between quadratic and cubic. */
const SVC_SAMPLES = 300;
/** Decides which are drawn; the same in every audit, since it is no choice anybody should make. */
const SVC_KEY: Key = keyFromSeed("audit svc");

/** Membership attacks: can it be told that the forgotten samples, or the retained ones, were trained on? */
export const membershipMeasures: readonly Measure[] = [
  {
    id: "loss-mia",
    title: "Membership attack by loss (AUC)",
    group: "removal",
    unit: "share",
    scale: "linear",
    resolution: SMALL_AREA,
    above:
      "still gives the forgotten samples smaller losses than unseen ones, more so than a retrained model",
    below:
      "gives the forgotten samples larger losses than models that never saw them, which betrays them too",
    values: {
      kind: "own",
      of: ({ forget, unseen }) => membershipRanks(smallLosses(forget), smallLosses(unseen)),
    },
  },
  {
    id: "mia-efficacy",
    title: "Forgotten samples a support vector machine takes for unseen (MIA-efficacy)",
    // Where members and others can hardly be told apart the machine's one boundary flips, and nearly all samples change sides: values of
    // retrained models then lie in two heaps, which no band describes.
    group: "reported",
    unit: "share",
    scale: "linear",
    resolution: 0.03,
    above: "treats the forgotten samples as stranger than models that never saw them do",
    below: "still treats forgotten samples as members",
    values: { kind: "own", of: svcEfficacy },
  },
  {
    id: "calibrated-mia",
    title: "Membership attack calibrated by the retrained models (offline LiRA, AUC)",
    group: "removal",
    unit: "share",
    scale: "linear",
    resolution: SMALL_AREA,
    above: "is more certain of the forgotten samples than retrained models are, sample by sample",
    below: "is less certain of the forgotten samples than retrained models are, sample by sample",
    values: {
      kind: "calibrated",
      of: (model, retrained) =>
        membershipRanks(excessMargins(model, retrained, "forget"), excessMargins(model, retrained, "unseen")),
    },
  },
  {
    id: "retain-mia",
    title: "Membership attack by loss on the retained samples (AUC)",
    group: "utility",
    unit: "share",
    scale: "linear",
    resolution: SMALL_AREA,
    above:
      "gives away more of the retained samples than a retrained model: unlearning has made their privacy worse",
    below: "fits the retained samples less than a retrained model",
    values: {
      kind: "own",
      of: ({ retain, unseen }) => membershipRanks(smallLosses(retain), smallLosses(unseen)),
    },
  },
];

function smallLosses({ logits, labels, classes }: ScoredSamples): Evidence {
  return { scores: sampleLosses(logits, labels, classes).map((loss) => -loss), labels };
}

/** How much larger a sample's margin is than on average over retrained models: the numerator of offline LiRA. */
export function excessMargins(
  model: ScoredModel,
  retrained: readonly ScoredModel[],
  set: "forget" | "unseen",
): Evidence {
  const tables = retrained.map((other) => margins(other[set]));
  const scores = margins(model[set]).map(
    (margin, row) => margin - tables.reduce((sum, table) => sum + (table[row] as number), 0) / tables.length,
  );
  return { scores, labels: model[set].labels };
}

const efficacies = new WeakMap<ScoredModel, Float64Array>();

/** MIA-efficacy by confidence, one number. Kept, since an audit of many candidates asks for a reference's again and again. */
export function svcEfficacy(model: ScoredModel): Float64Array {
  const found = efficacies.get(model) ?? computedEfficacy(model);
  efficacies.set(model, found);
  return found;
}

function computedEfficacy({ forget, retain, unseen }: ScoredModel): Float64Array {
  const drawn = (samples: ScoredSamples, role: string): ScoredSamples =>
    selectScored(
      samples,
      drawRows(SVC_KEY, role, samples.labels.length, Math.min(SVC_SAMPLES, samples.labels.length)),
    );
  const { confidence } = svcMembership(
    { members: drawn(retain, "members"), nonMembers: drawn(unseen, "non-members"), forget, key: SVC_KEY },
    ["confidence"],
  );
  return Float64Array.of(confidence);
}
