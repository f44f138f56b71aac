/** The figures of a model that the verdict compares. */
export interface JudgedModel {
  readonly accuracy: number;
  readonly attackSuccess: number | undefined;
  readonly removedClientAccuracy: number;
}

/** How far from retraining still counts as equal. */
export interface Tolerance {
  /** Accuracy may be this much below retraining's. */
  readonly accuracy: number;
  /** Attack success may be this much above retraining's. */
  readonly attackSuccess: number;
  /** Accuracy on the removed clients' samples may be this much above retraining's. */
  readonly removedClientAccuracy: number;
}

/**
 * The bounds of the audit: what ten pairs of runs that differ only in batch order stay within (accuracy, removed clients)
 * and what the rule's authors accept of it without help (attack success).
 */
export const DEFAULT_TOLERANCE: Tolerance = {
  accuracy: 0.015,
  attackSuccess: 0.07,
  removedClientAccuracy: 0.03,
};

/** A model whose outcome is known beforehand. */
export interface Control {
  readonly title: string;
  readonly expected: "pass" | "fail";
  readonly outcome: "pass" | "fail";
  readonly figures: JudgedModel;
}

/** The audit's word on the unlearned model. */
export interface Verdict {
  readonly verdict: "pass" | "fail" | "refused";
  /** Sentences a person understands; at least one. */
  readonly reasons: readonly string[];
  readonly controls: readonly Control[];
}

/**
 * Why a model cannot be taken for the retrained one; empty when it can. Each figure must be seen to be within its limit, so
 * that one that is no number counts as a shortcoming.
 */
export function shortcomings(model: JudgedModel, retrained: JudgedModel, tolerance: Tolerance): string[] {
  const reasons: string[] = [];
  if (!(model.accuracy >= retrained.accuracy - tolerance.accuracy)) {
    reasons.push(
      `accuracy is ${points(retrained.accuracy - model.accuracy)} below retraining's ${percent(retrained.accuracy)}`,
    );
  }
  if (
    model.attackSuccess !== undefined &&
    retrained.attackSuccess !== undefined &&
    !(model.attackSuccess <= retrained.attackSuccess + tolerance.attackSuccess)
  ) {
    reasons.push(
      `the attack still succeeds on ${percent(model.attackSuccess)} of test samples, after retraining on ${percent(retrained.attackSuccess)}`,
    );
  }
  if (!(model.removedClientAccuracy <= retrained.removedClientAccuracy + tolerance.removedClientAccuracy)) {
    reasons.push(
      `it knows the removed data ${points(model.removedClientAccuracy - retrained.removedClientAccuracy)} better than retraining's ${percent(retrained.removedClientAccuracy)}`,
    );
  }
  return reasons;
}

/**
 * Judges an unlearned model against a retrained one, after checking that the test can tell the two apart: the trained model
 * must fail it, a second retrained one must pass, and after an attack the fine-tuned one must fail too. A verdict whose controls
 * misbehave is refused.
 *
 * Honest clients of an ordinary data mix leave no mark that these figures show: then the trained model passes as well, and
 * a pass would say nothing. Such a verdict is refused, but a model that was damaged still fails.
 *
 * @param wasAttacked - whether the leavers attacked, so that a mark must be there. Fine-tuning is a control only then: it may
 *   well wash out what an honest client taught
 */
export function judge(
  models: {
    readonly trained: JudgedModel;
    readonly unlearned: JudgedModel;
    readonly retrained: JudgedModel;
    /** Retrained with other batch orders: how far apart two models are that both never saw the data. */
    readonly retrainedAgain?: JudgedModel | undefined;
    readonly fineTuned: JudgedModel | undefined;
  },
  wasAttacked: boolean,
  tolerance: Tolerance = DEFAULT_TOLERANCE,
): Verdict {
  const { retrained } = models;
  const outcomeOf = (model: JudgedModel): "pass" | "fail" =>
    shortcomings(model, retrained, tolerance).length === 0 ? "pass" : "fail";
  const control = (title: string, figures: JudgedModel, expected: "pass" | "fail"): Control => ({
    title,
    expected,
    outcome: outcomeOf(figures),
    figures,
  });
  const controls = [
    control("Trained, nothing removed", models.trained, "fail"),
    models.retrainedAgain === undefined
      ? control("Retrained without the removed clients", retrained, "pass")
      : control("Retrained again, in other batch orders", models.retrainedAgain, "pass"),
    ...(wasAttacked && models.fineTuned !== undefined
      ? [control("Fine-tuned by the kept clients", models.fineTuned, "fail")]
      : []),
  ];
  const found = shortcomings(models.unlearned, retrained, tolerance);
  const reasonsOf = (): string[] => found.map((reason) => `${capital(reason)}.`);
  const misbehaving = controls.filter(({ expected, outcome }) => expected !== outcome);
  if (
    !wasAttacked &&
    misbehaving.every(({ figures }) => figures === models.trained) &&
    misbehaving.length > 0
  ) {
    return found.length > 0
      ? { verdict: "fail", reasons: reasonsOf(), controls }
      : { verdict: "refused", reasons: [NO_MARK], controls };
  }
  if (misbehaving.length > 0) {
    return {
      verdict: "refused",
      reasons: misbehaving.map(
        ({ title, expected, outcome }) =>
          `The control “${title}” should ${expected} but did ${outcome}, so the test cannot tell a forgetting model from another in this run.`,
      ),
      controls,
    };
  }
  if (found.length > 0) return { verdict: "fail", reasons: reasonsOf(), controls };
  return { verdict: "pass", reasons: [AS_RETRAINED], controls };
}

const AS_RETRAINED =
  "The unlearned model is as good as the retrained one within the limits, and the trained model is not.";
const NO_MARK =
  "The unlearned model is as good as the retrained one within the limits, but so is the trained one: the removed clients left no mark that these figures show, so they cannot show a removal either.";

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function points(difference: number): string {
  return `${(100 * difference).toFixed(1)} points`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
