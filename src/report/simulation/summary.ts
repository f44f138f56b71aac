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
import type { Findings } from "./findings.ts";
import { removedNames, removedVerb } from "./names.ts";

/** The page's title: the result in one line. Bad news come before good. */
export function titleOf(report: SimulationReport, findings: Findings): string {
  const who = removedNames(report);
  const was = removedVerb(report);
  if (findings.verdict === "refused") return `The audit refuses to say whether ${who} ${was} removed`;
  if (findings.attack === "kept") return `The backdoor of ${who} is still in the model`;
  if (findings.attack === "weakened") return `The backdoor of ${who} was weakened, not removed`;
  if (findings.accuracy === "lost") return `Removing ${who} damaged the model`;
  if (findings.removedData === "unlike retrained") return `The model still differs on the data of ${who}`;
  if (findings.verdict === "fail") return `${capitalise(who)} ${was} not removed well enough`;
  if (findings.verdict === "none") return `${capitalise(who)} ${was} unlearned; nobody audited the result`;
  if (findings.attack === "removed") return `${capitalise(who)} and the backdoor ${who} had planted are gone`;
  return `${capitalise(who)} ${was} removed from the model`;
}

/** What happened and what came of it, in sentences that follow from the figures. */
export function summaryOf(report: SimulationReport, findings: Findings): readonly string[] {
  return [
    trainingSentence(report),
    removalSentence(report, findings),
    ...attackSentence(report, findings),
    accuracySentence(report, findings),
    ...removedDataSentence(report, findings),
  ];
}

function trainingSentence(report: SimulationReport): string {
  const { run, attackSuccess } = report;
  const training = `${countNoun(run.clients, "client")} trained ${run.model} on ${run.dataset} together, in ${countNoun(run.rounds, "round")} of federated averaging`;
  if (run.attack === undefined || attackSuccess === undefined) return `${training}.`;
  const { trigger, target, poisonedShare } = run.attack;
  return `${training}. ${capitalise(removedNames(report))} had poisoned ${formatPercent(poisonedShare)} of the local images with a backdoor: ${trigger} should make the model answer “${target}”, and in ${formatPercent(attackSuccess.trained)} of the triggered test images it did.`;
}

function removalSentence(report: SimulationReport, { serverAlone, compressed }: Findings): string {
  const { rawBytes, storedBytes } = report.history;
  const size = compressed
    ? `the compressed history of updates (${formatBytes(storedBytes)} in place of ${formatBytes(rawBytes)}, ${formatRatio(rawBytes, storedBytes)} smaller)`
    : `the stored history of updates (${formatBytes(storedBytes)})`;
  const help = serverAlone
    ? "the server alone, with no help from any client"
    : `the server, with ${countNoun(report.clientRounds.unlearn, "local training")} by clients to repair the model`;
  return `The contribution of ${removedNames(report)} was then removed by ${help}, using ${size}, in ${formatSeconds(report.seconds.unlearn)}.`;
}

function attackSentence({ attackSuccess }: SimulationReport, { attack }: Findings): readonly string[] {
  if (attackSuccess === undefined || attack === "absent") return [];
  const { trained, unlearned, retrained } = attackSuccess;
  const reference = retrained === undefined ? "" : ` (retrained: ${formatPercent(retrained)})`;
  const change = `from ${formatPercent(trained)} to ${formatPercent(unlearned)}${reference}`;
  switch (attack) {
    case "removed":
      return [`The backdoor no longer works: its success went ${change}, as in a model that never met it.`];
    case "weakened":
      return [`The backdoor was weakened but not removed: its success went ${change}.`];
    case "kept":
      return [`The backdoor was not removed: its success went ${change}.`];
    case "never worked":
      return [
        `The backdoor hardly worked in the trained model (success ${formatPercent(trained)}), so this run cannot show its removal.`,
      ];
    case "unjudged":
      return [
        `The backdoor’s success went ${change}; without a retrained model nothing says how low it should be.`,
      ];
    default:
      return attack satisfies never;
  }
}

function accuracySentence({ accuracy, tolerance }: SimulationReport, { accuracy: found }: Findings): string {
  const { trained, unlearned, retrained } = accuracy;
  if (found === "unjudged" || retrained === undefined)
    return `Accuracy on clean test images went from ${formatPercent(trained)} to ${formatPercent(unlearned)}; no model was retrained to compare it with.`;
  const figures = `${formatPercent(unlearned)} of clean test images are classified right, ${formatPercent(retrained)} after retraining without the removed data (${formatPoints(unlearned - retrained)})`;
  return found === "kept"
    ? `The model kept its quality: ${figures}.`
    : `The model lost quality: ${figures}; ${formatPercent(tolerance.accuracy)} was allowed.`;
}

function removedDataSentence(report: SimulationReport, { removedData }: Findings): readonly string[] {
  const { removedClientAccuracy } = report;
  if (removedClientAccuracy?.retrained === undefined || removedData === "unjudged") return [];
  const { trained, unlearned, retrained } = removedClientAccuracy;
  const figures = `${formatPercent(trained)} before, ${formatPercent(unlearned)} after, ${formatPercent(retrained)} in the retrained model`;
  const subject = `Accuracy on the own images of ${removedNames(report)}`;
  switch (removedData) {
    case "like retrained":
      return [`${subject} became that of a model which never saw them: ${figures}.`];
    case "unlike retrained":
      return [`${subject} is not that of a model which never saw them: ${figures}.`];
    case "blind":
      return [
        `${subject} hardly depends on having seen them (${figures}), so it neither shows nor refutes the removal.`,
      ];
    default:
      return removedData satisfies never;
  }
}
