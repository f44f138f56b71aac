import type { SimulationReport } from "../simulation-report-schema.ts";

/** What the figures of a run say, judged once; every sentence and title of the page is chosen by these words. */
export interface Findings {
  /** The audit's verdict; `none` when nothing was audited. */
  readonly verdict: "pass" | "fail" | "refused" | "none";
  /**
   * The attack: `absent` (there was none), `never worked` on the trained model, `removed` (as in the retrained
   * model), `weakened` (more than halved, yet above retraining), `kept`, or `unjudged` for want of a retrained model.
   */
  readonly attack: "absent" | "never worked" | "removed" | "weakened" | "kept" | "unjudged";
  /** Accuracy on clean test images beside retraining's. */
  readonly accuracy: "kept" | "lost" | "unjudged";
  /**
   * The removed clients' own samples beside retraining's; `better known` is the audit's own failure, `worse known` is outside
   * of the same limit on the other side; `blind` when trained and retrained models score alike, so that this figure cannot
   * show a removal.
   */
  readonly removedData: "like retrained" | "better known" | "worse known" | "blind" | "unjudged";
  /** True when no client trained during unlearning. */
  readonly serverAlone: boolean;
  /** True when the history takes fewer bytes than float32. */
  readonly compressed: boolean;
}

/** An attack that misses more than half of its triggered images has not taken hold: its removal proves nothing. */
const LEAST_WORKING_SUCCESS = 0.5;

/** Judges a run's figures by the report's own tolerances. */
export function findingsOf(report: SimulationReport): Findings {
  return {
    verdict: report.verdict ?? "none",
    attack: judgeAttack(report),
    accuracy: judgeAccuracy(report),
    removedData: judgeRemovedData(report),
    serverAlone: report.clientRounds.unlearn === 0,
    compressed: report.history.storedBytes < report.history.rawBytes,
  };
}

function judgeAttack({ attackSuccess, tolerance }: SimulationReport): Findings["attack"] {
  if (attackSuccess === undefined) return "absent";
  const { trained, unlearned, retrained } = attackSuccess;
  if (trained < LEAST_WORKING_SUCCESS) return "never worked";
  if (retrained === undefined) return "unjudged";
  if (unlearned <= retrained + tolerance.attackSuccess) return "removed";
  return unlearned < trained / 2 ? "weakened" : "kept";
}

function judgeAccuracy({ accuracy, tolerance }: SimulationReport): Findings["accuracy"] {
  if (accuracy.retrained === undefined) return "unjudged";
  return accuracy.unlearned >= accuracy.retrained - tolerance.accuracy ? "kept" : "lost";
}

function judgeRemovedData({ removedClientAccuracy, tolerance }: SimulationReport): Findings["removedData"] {
  if (removedClientAccuracy?.retrained === undefined) return "unjudged";
  const { trained, unlearned, retrained } = removedClientAccuracy;
  const limit = tolerance.removedClientAccuracy;
  if (unlearned > retrained + limit) return "better known";
  if (unlearned < retrained - limit) return "worse known";
  return Math.abs(trained - retrained) > limit ? "like retrained" : "blind";
}
