import {
  capitalise,
  countNoun,
  formatBytes,
  formatPercent,
  formatPoints,
  formatRatio,
  formatSeconds,
} from "../format.ts";
import type { SimulationReport } from "../simulation-report-schema.ts";
import { attackerNames, attackNoun } from "./attack-words.ts";
import type { Findings } from "./findings.ts";
import { removedNames } from "./title.ts";

/** The run in plain words: what happened, then what came of it. */
export interface Summary {
  readonly story: readonly string[];
  readonly results: readonly Result[];
}

/** One result in a sentence. */
export interface Result {
  /** `good` and `bad` judge by the report's tolerances, `open` says that the figures cannot decide. */
  readonly tone: "good" | "bad" | "open";
  readonly text: string;
}

/** Chooses every sentence by the figures; none is printed that they do not bear out. */
export function summaryOf(report: SimulationReport, findings: Findings): Summary {
  return {
    story: [trainingSentence(report), removalSentence(report, findings)],
    results: [
      attackResult(report, findings),
      accuracyResult(report, findings),
      removedDataResult(report, findings),
    ].filter((result) => result !== undefined),
  };
}

function trainingSentence(report: SimulationReport): string {
  const { run, attackSuccess } = report;
  const training = `${countNoun(run.clients, "client")} trained ${run.model} on ${run.dataset} together, in ${countNoun(run.rounds, "round")} of federated averaging.`;
  if (run.attack === undefined || attackSuccess === undefined) return training;
  const { attack } = run;
  const who = capitalise(attackerNames(report));
  const local = `${formatPercent(attack.poisonedShare)} of the local ${run.samples}`;
  const success = formatPercent(attackSuccess.trained);
  switch (attack.kind) {
    case "backdoor":
      return `${training} ${who} had planted a backdoor in ${local}: ${attack.trigger} was to make the model answer “${attack.target}”. It did so for ${success} of the triggered test images.`;
    case "labelflip":
      return `${training} ${who} had taught ${local} as the class after their own. The model answered ${success} of the test ${run.samples} that way.`;
    default:
      return attack satisfies never;
  }
}

function removalSentence(report: SimulationReport, { serverAlone, compressed }: Findings): string {
  const { rawBytes, storedBytes } = report.history;
  const history = compressed
    ? `the compressed history of updates (${formatBytes(storedBytes)} in place of ${formatBytes(rawBytes)}, ${formatRatio(rawBytes, storedBytes)} smaller)`
    : `the stored history of updates (${formatBytes(storedBytes)})`;
  const actor = serverAlone
    ? "the server alone, with no client’s help,"
    : `the server, with ${countNoun(report.clientRounds.unlearn, "local training")} by clients,`;
  return `Then ${actor} removed what ${removedNames(report)} had contributed, from ${history}, in ${formatSeconds(report.seconds.unlearn)}.`;
}

function attackResult(report: SimulationReport, { attack }: Findings): Result | undefined {
  const { attackSuccess } = report;
  const noun = attackNoun(report);
  if (attackSuccess === undefined || attack === "absent") return undefined;
  const { trained, unlearned, retrained } = attackSuccess;
  const reference =
    retrained === undefined ? "" : `; a model retrained without it has ${formatPercent(retrained)}`;
  const change = `its success went from ${formatPercent(trained)} to ${formatPercent(unlearned)}${reference}`;
  switch (attack) {
    case "removed":
      return { tone: "good", text: `The ${noun} no longer works: ${change}.` };
    case "weakened":
      return { tone: "bad", text: `The ${noun} was weakened but not removed: ${change}.` };
    case "kept":
      return { tone: "bad", text: `The ${noun} was not removed: ${change}.` };
    case "never worked":
      return {
        tone: "open",
        text: `The ${noun} hardly worked in the trained model (success ${formatPercent(trained)}), so this run cannot show its removal.`,
      };
    case "unjudged":
      return {
        tone: "open",
        text: `The ${noun}: ${change}. Without a retrained model nothing says how low it should be.`,
      };
    default:
      return attack satisfies never;
  }
}

function accuracyResult(
  { accuracy, tolerance, run }: SimulationReport,
  { accuracy: found }: Findings,
): Result {
  const { trained, unlearned, retrained } = accuracy;
  if (found === "unjudged" || retrained === undefined) {
    const change = `Accuracy on clean test ${run.samples} went from ${formatPercent(trained)} to ${formatPercent(unlearned)}`;
    return { tone: "open", text: `${change}; no model was retrained to compare it with.` };
  }
  const figures = `${formatPercent(unlearned)} of clean test ${run.samples} are classified right, against ${formatPercent(retrained)} after retraining (${formatPoints(unlearned - retrained)})`;
  return found === "kept"
    ? { tone: "good", text: `The model is as accurate as retraining makes it: ${figures}.` }
    : {
        tone: "bad",
        text: `The model is less accurate than retraining makes it: ${figures}, where ${formatPoints(-tolerance.accuracy)} are allowed.`,
      };
}

function removedDataResult(report: SimulationReport, { removedData }: Findings): Result | undefined {
  const { removedClientAccuracy } = report;
  if (removedClientAccuracy?.retrained === undefined || removedData === "unjudged") return undefined;
  const { trained, unlearned, retrained } = removedClientAccuracy;
  const figures = `it went from ${formatPercent(trained)} to ${formatPercent(unlearned)}; retraining gives ${formatPercent(retrained)}`;
  const images = `the ${report.run.samples} of ${removedNames(report)}`;
  switch (removedData) {
    case "like retrained":
      return {
        tone: "good",
        text: `On ${images} the model is as accurate as one that never saw them: ${figures}.`,
      };
    case "better known":
      return {
        tone: "bad",
        text: `The model still knows ${images} better than one that never saw them: ${figures}.`,
      };
    case "worse known":
      return {
        tone: "open",
        text: `On ${images} the model is less accurate than one that never saw them: ${figures}. More was taken out than retraining would have.`,
      };
    case "blind":
      return {
        tone: "open",
        text: `Accuracy on ${images} cannot show a removal, for having seen them hardly matters: ${figures}.`,
      };
    default:
      return removedData satisfies never;
  }
}
