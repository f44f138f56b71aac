import { capitalise, joinWords } from "../format.ts";
import type { SimulationReport } from "../simulation-report-schema.ts";
import { attackerNames, attackNoun } from "./attack-words.ts";
import type { Findings } from "./findings.ts";

/** The page's title: the result in one line. Bad news comes before good. */
export function titleOf(report: SimulationReport, findings: Findings): string {
  const who = removedNames(report);
  const isOne = report.run.removed.length === 1;
  const [was, its] = isOne ? ["was", "its"] : ["were", "their"];
  const attack = `${attackNoun(report)} of ${attackerNames(report)}`;
  if (findings.verdict === "refused") return `The audit cannot tell whether ${who} ${was} removed`;
  if (findings.attack === "kept") return `The ${attack} is still in the model`;
  if (findings.attack === "weakened") return `The ${attack} was weakened, not removed`;
  if (findings.accuracy === "lost") {
    // Where the removed clients had done the damage, less of it may be left and yet more than in a retrained model.
    return report.accuracy.unlearned < report.accuracy.trained
      ? `Removing ${who} damaged the model`
      : `Without ${who} the model is less accurate than a retrained one`;
  }
  if (findings.removedData === "better known") return `The model still knows the data of ${who}`;
  if (findings.verdict === "fail") return `${capitalise(who)} ${was} not removed well enough`;
  if (findings.verdict === "none") return `${capitalise(who)} ${was} unlearned; the result is not audited`;
  if (findings.attack !== "removed" && findings.removedData !== "like retrained")
    return `This run cannot show whether ${who} ${was} removed`;
  if (findings.attack === "removed")
    return `${capitalise(who)} and ${its} ${attackNoun(report)} are gone from the model`;
  return `${capitalise(who)} ${was} removed from the model`;
}

/** The removed clients in a sentence: `client 7`, `client 3 and client 7`. */
export function removedNames({ run }: SimulationReport): string {
  return joinWords(run.removed.map(({ name }) => name));
}
