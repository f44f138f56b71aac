import { type AuditControl, type AuditVerdict, FAILING_CONTROLS } from "../verdict.ts";
import type { HeldOutFigure } from "./held-out-figures.ts";
import { heldOutMeasures } from "./held-out-measures.ts";

/** What would turn this weaker verdict into a full one. */
export const STRONGER_EVIDENCE =
  "A pass takes retrained models: `lethe audit --reference retrain:8`, or `runs:` with models retrained elsewhere.";

/**
 * Judges by held-out samples, after asking the same of models whose outcome is known: the original must stand apart, random weights must treat
 * both kinds of samples alike (else they are not of one source), and they, a ruined model and one with nothing but a new head must fail.
 */
export function judgeByHeldOut(figures: readonly HeldOutFigure[]): AuditVerdict {
  const controls = controlsOf(figures);
  const wrong = controls.filter(({ expected, outcome }) => expected !== outcome);
  const isBroken = wrong.some(({ expected }) => expected === "pass");
  const found = figures.filter(({ passes }) => !passes);
  if (isBroken) return { verdict: "refused", reasons: [OTHER_SOURCE], controls };
  if (found.length > 0) return { verdict: "fail", reasons: found.map(failureReason), controls };
  if (wrong.length > 0) {
    return {
      verdict: "refused",
      reasons: wrong.map(({ id, title }) => (id === "original" ? NO_MARK : blindReason(title))),
      controls,
    };
  }
  const telling = figures.filter(({ tells }) => tells).map(({ title }) => `“${title}”`);
  return {
    verdict: "plausible",
    reasons: [
      `The model treats the forgotten samples as it treats held-out ones that it never saw, on all ${figures.length} figures; the original does not, by ${telling.join(", ")}. ` +
        `This is weaker than a pass: no retrained model was looked at. ${STRONGER_EVIDENCE}`,
    ],
    controls,
  };
}

function controlsOf(figures: readonly HeldOutFigure[]): readonly AuditControl[] {
  const control = (
    id: string,
    title: string,
    expected: "pass" | "fail",
    failed: readonly HeldOutFigure[],
  ): AuditControl => ({
    id,
    title,
    expected,
    outcome: failed.length === 0 ? "pass" : "fail",
    failed: failed.map((figure) => figure.id),
  });
  const failedBy = (id: string): readonly HeldOutFigure[] =>
    figures.filter(({ controls }) => controls[id]?.passes === false);
  return [
    control(
      "original",
      "The original model, nothing removed",
      "fail",
      figures.filter(({ tells }) => tells),
    ),
    control(
      "source",
      "Random weights, which saw neither kind of samples, on the comparisons alone",
      "pass",
      failedBy("random-init").filter(({ group }) => group !== "utility"),
    ),
    ...Object.entries(FAILING_CONTROLS)
      .filter(([id]) => figures.every(({ controls }) => id in controls))
      .map(([id, title]) => control(id, title, "fail", failedBy(id))),
  ];
}

const OTHER_SOURCE =
  "Random weights, which never saw any sample, treat forgotten and held-out samples differently: they are not drawn from one source, so that a " +
  `difference would say nothing about memory. Held-out samples of the same source would do, or retrained models. ${STRONGER_EVIDENCE}`;

const NO_MARK =
  "The original model, from which nothing was removed, treats the forgotten samples hardly otherwise than held-out ones either: these figures " +
  `cannot show removal. More held-out samples make the test sharper; retrained models can see more. ${STRONGER_EVIDENCE}`;

function blindReason(title: string): string {
  return `The control “${title}” should fail but passes, so held-out samples cannot tell such a model from one that forgot. ${STRONGER_EVIDENCE}`;
}

function failureReason({ id, title, unlearned, neutral, limits }: HeldOutFigure): string {
  const { value, low, high } = unlearned;
  const measure = heldOutMeasures.find((candidate) => candidate.id === id);
  if (measure === undefined) {
    return `The model has lost some of what it was to keep: “${title}” is ${percent(value)}, the original's ${percent(neutral)}; at least ${percent(limits[0])} would do.`;
  }
  return (
    `The model ${value > neutral ? measure.above : measure.below}: “${title}” is ${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}); ` +
    `${neutral} is alike, and anything from ${limits[0].toFixed(3)} to ${limits[1].toFixed(3)} would do.`
  );
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
