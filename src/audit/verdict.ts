import { mean } from "../metrics/statistics/summary.ts";
import type { Figure } from "./figures.ts";
import type { Measure } from "./measures/measure.ts";
import {
  isClearlyOutside,
  isOutside,
  type ReferenceBand,
  referenceBand,
  referencesNeeded,
} from "./reference-band.ts";
import { traceBand, traceReferencesNeeded } from "./trace-band.ts";

/** A model whose outcome is known beforehand. */
export interface AuditControl {
  readonly id: string;
  readonly title: string;
  readonly expected: "pass" | "fail";
  readonly outcome: "pass" | "fail";
  /** Ids of the measures it failed. */
  readonly failed: readonly string[];
}

/** The word of an audit. */
export interface AuditVerdict {
  /** `plausible` is the best an audit without retrained models can say, and weaker than a pass. */
  readonly verdict: "pass" | "plausible" | "fail" | "refused";
  /** Sentences a person understands; at least one. */
  readonly reasons: readonly string[];
  readonly controls: readonly AuditControl[];
}

/** Controls that have to fail, by id; each is skipped where it could not be made. */
export const FAILING_CONTROLS: Readonly<Record<string, string>> = {
  "random-init": "Random weights, never trained",
  ruin: "The original model, driven up its loss on the forgotten samples until it is ruined",
  "head-only":
    "The original model with nothing but its last layer trained anew, without the forgotten samples",
};

/** References below which a held-out one is judged by so few others that nothing ever fails. */
export const LEAST_REFERENCES = 4;

/**
 * Chance that a true retrained model is outside any of the bands (shared between them by Bonferroni), traces aside: one retraining in a
 * hundred may look like a failure.
 */
const FAMILY_LEVEL = 0.01;
/** The same for each of the two traces, on which the power of an audit rests: they share with nobody. */
const TRACE_LEVEL = 0.01;

/** Standard errors of a value within which models count as alike: another draw of the same number of samples moves it by as much in 19 of 20. */
const SAMPLING = 2;

/**
 * The original must be at least this many half-widths away on one measure of removal. Then a model inside the band has lost at least half of
 * what set the original apart, on the measure's scale: with a smaller factor a nearly untouched model could slip in.
 */
const CLEARANCE = 2;

/**
 * Judges an unlearned model by the spread of retrained ones, two-sided, measure by measure, after asking the same of models whose outcome is
 * known: the original and the controls must fail, each retrained model must pass when judged by the others.
 */
export function judgeAudit(figures: readonly Figure[]): AuditVerdict {
  const judged = figuresJudged(figures).map((figure) => judgedFigure(figure, figures));
  const failedBy = (read: (figure: Figure) => number): readonly Judged[] =>
    judged.filter((figure) => isOutside(read(figure), figure.band));
  const control = (
    id: string,
    title: string,
    expected: "pass" | "fail",
    failed: readonly Figure[],
  ): AuditControl => ({
    id,
    title,
    expected,
    outcome: failed.length === 0 ? "pass" : "fail",
    failed: failed.map(({ measure }) => measure.id),
  });
  const telling = judged.filter(({ measure, band }) => measure.group !== "utility" && band.tells);
  const references = figures[0]?.retrained.length ?? 0;
  const controls = [
    control("original", "The original model, nothing removed", "fail", telling),
    ...Array.from({ length: references }, (_, index) =>
      control(
        `retrained-${index + 1}`,
        `Retrained model ${index + 1}, judged by the others`,
        "pass",
        judged.filter((figure) => {
          const others = figure.retrained.filter((__, other) => other !== index);
          // All of them share the level too: one chance failure among many would say nothing about the test.
          return isOutside(figure.retrained[index] as number, bandOf(figure, figures, others, references));
        }),
      ),
    ),
    ...Object.entries(FAILING_CONTROLS)
      .filter(([id]) => figures.every((figure) => id in figure.controls))
      .map(([id, title]) =>
        control(
          id,
          title,
          "fail",
          failedBy(({ controls: values }) => values[id] as number),
        ),
      ),
  ];
  const found = failedBy(({ unlearned }) => unlearned);
  return { ...decide(judged, controls, found), controls };
}

/** Where a model has to lie on a figure, and what can be told from it. */
interface Band {
  readonly centre: number;
  readonly low: number;
  readonly high: number;
  /** Whether the original is so far outside that a model inside has lost at least half of what set it apart. */
  readonly tells: boolean;
  /** With how many references it would tell, if they spread as these do; `undefined` when no number would do. */
  needed(): number | undefined;
}

type Judged = Figure & { readonly band: Band };

function figuresJudged(figures: readonly Figure[]): readonly Figure[] {
  return figures.filter(({ measure }) => measure.group !== "reported");
}

function judgedFigure(figure: Figure, all: readonly Figure[]): Judged {
  return { ...figure, band: bandOf(figure, all, figure.retrained, 1) };
}

/** @param sharers - models that are tested at once and share the level */
function bandOf(
  { measure, original, samplingError, trainedWith }: Figure,
  all: readonly Figure[],
  retrained: readonly number[],
  sharers: number,
): Band {
  if (trainedWith !== undefined) {
    const level = TRACE_LEVEL / sharers;
    const band = traceBand(retrained, trainedWith, level);
    return {
      ...band,
      tells: band.canTell && isOutside(original, band),
      needed: () =>
        original > band.centre ? traceReferencesNeeded(retrained, trainedWith, level) : undefined,
    };
  }
  const shared = figuresJudged(all).filter((figure) => figure.trainedWith === undefined);
  const band: ReferenceBand = referenceBand(retrained, {
    level: FAMILY_LEVEL / Math.max(1, shared.length) / sharers,
    resolution: Math.max(measure.resolution, SAMPLING * samplingError),
    scale: measure.scale,
  });
  return {
    ...band,
    tells: isClearlyOutside(original, band, CLEARANCE),
    needed: () => referencesNeeded(original, band, CLEARANCE),
  };
}

/**
 * Where a model's value has to lie to pass; shares are cut off at 0 and 1.
 *
 * @param all - the figures of the audit: they share one level
 */
export function limitsOf(figure: Figure, all: readonly Figure[]): readonly [low: number, high: number] {
  const { band, measure } = judgedFigure(figure, all);
  return measure.unit === "share" ? [Math.max(0, band.low), Math.min(1, band.high)] : [band.low, band.high];
}

function decide(
  judged: readonly Judged[],
  controls: readonly AuditControl[],
  found: readonly Judged[],
): Omit<AuditVerdict, "controls"> {
  const wrong = controls.filter(({ expected, outcome }) => expected !== outcome);
  // Only these say that the bands themselves are wrong; where a model that should fail passes, the bands are merely too wide to show a removal.
  const broken = wrong.filter(({ expected }) => expected === "pass");
  const blind = wrong.filter(({ expected }) => expected === "fail");
  if (broken.length > 0) return { verdict: "refused", reasons: broken.map(brokenReason) };
  if (found.length > 0)
    return { verdict: "fail", reasons: found.map((figure) => failureReason(figure, judged)) };
  if (blind.length > 0) {
    return {
      verdict: "refused",
      reasons: blind.map((control) => (control.id === "original" ? noMark(judged) : blindReason(control))),
    };
  }
  const telling = controls.find(({ id }) => id === "original")?.failed ?? [];
  const titles = judged
    .filter(({ measure }) => telling.includes(measure.id))
    .map(({ measure }) => `“${measure.title}”`);
  return {
    verdict: "pass",
    reasons: [
      `On all ${judged.length} measures the unlearned model lies where retrained models lie. The original does not, by ${titles.join(", ")}, and every control came out as it must.`,
    ],
  };
}

function brokenReason({ title, failed }: AuditControl): string {
  return (
    `${title}, should pass but fails (${failed.join(", ")}): retrained models differ from each other more than the test allows for, so its ` +
    "limits cannot be relied on here. More references give truer limits."
  );
}

function blindReason({ title }: AuditControl): string {
  return (
    `The control “${title}” should fail but passes, so these figures cannot tell such a model from a retrained one. More references make the ` +
    "test sharper."
  );
}

/** Why the original cannot be told from retrained models, and what it would take. */
function noMark(judged: readonly Judged[]): string {
  const needed = judged
    .filter(({ measure }) => measure.group !== "utility")
    .flatMap(({ band }) => band.needed() ?? []);
  const least = needed.length === 0 ? undefined : Math.min(...needed);
  const remedy =
    least === undefined
      ? "More references would hardly change this: what was to be forgotten left no mark that sets the original apart."
      : `About ${least} references would do, if they spread as these do.`;
  return `The original model, from which nothing was removed, does not clearly differ from retrained ones either: these figures cannot show removal. ${remedy}`;
}

function failureReason(figure: Judged, judged: readonly Judged[]): string {
  const { measure, unlearned, band } = figure;
  const { title, unit } = measure;
  const [low, high] = limitsOf(figure, judged);
  return (
    `The model ${unlearned > band.centre ? measure.above : measure.below}: “${title}” is ${write(unlearned, unit)}, retrained models lie around ` +
    `${write(band.centre, unit)}. Anything from ${write(low, unit)} to ${write(high, unit)} would pass.`
  );
}

function write(value: number, unit: Measure["unit"]): string {
  return unit === "share" ? `${(100 * value).toFixed(1)} %` : value.toFixed(3);
}

/** The floor of a figure: how far a retrained model is from the mean of the others, on average. */
export function floorOf({ retrained }: Figure): number {
  return mean(
    retrained.map((value, index) => Math.abs(value - mean(retrained.filter((_, other) => other !== index)))),
  );
}
