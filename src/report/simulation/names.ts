import { joinWords } from "../format.ts";
import type { SimulationReport } from "../simulation-report-schema.ts";

/** The removed clients as the subject of a sentence: `client 7`, `client 3 and client 7`. */
export function removedNames({ run }: SimulationReport): string {
  return joinWords(run.removed.map(({ name }) => name));
}

/** `was` or `were`, to go with {@link removedNames}. */
export function removedVerb({ run }: SimulationReport): string {
  return run.removed.length === 1 ? "was" : "were";
}
