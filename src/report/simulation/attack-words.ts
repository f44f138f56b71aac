import { joinWords } from "../format.ts";
import type { SimulationReport } from "../simulation-report-schema.ts";

type Attack = NonNullable<SimulationReport["run"]["attack"]>;

/** What each kind of attack is called in a sentence. */
const NOUNS = { backdoor: "backdoor", labelflip: "label flip" } as const satisfies Record<
  Attack["kind"],
  string
>;

/** The attack as a noun: `backdoor`; `attack` where there was none. */
export function attackNoun({ run }: SimulationReport): string {
  return run.attack === undefined ? "attack" : NOUNS[run.attack.kind];
}

/** Who attacked, in a sentence: all removed clients unless the report says otherwise. */
export function attackerNames({ run }: SimulationReport): string {
  return joinWords(run.attack?.by ?? run.removed.map(({ name }) => name));
}

/** What success of the attack means, as a sentence under the figure. */
export function attackMeaning({ run }: SimulationReport): string {
  return run.attack?.kind === "labelflip"
    ? `Test ${run.samples} answered with the next class.`
    : "Triggered test images sent to the target class.";
}
