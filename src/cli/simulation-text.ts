import type { SimulationDocument } from "./simulation-document.ts";

/** The result of a simulation as a person reads it in a terminal. */
export function simulationText(document: SimulationDocument): string[] {
  const { accuracy, attackSuccess, removedClientAccuracy, history, seconds, clientRounds } = document;
  const row = (name: string, cells: readonly (string | undefined)[]): string =>
    `${name.padEnd(26)}${cells.map((cell) => (cell ?? "–").padStart(12)).join("")}`;
  const shares = (figures: { trained: number; unlearned: number; retrained?: number }): string[] =>
    [figures.trained, figures.unlearned, figures.retrained].map((value) =>
      value === undefined ? "–" : percent(value),
    );
  const amounts = (
    figures: { train: number; unlearn: number; retrain?: number },
    format: (value: number) => string,
  ): string[] =>
    [figures.train, figures.unlearn, figures.retrain].map((value) =>
      value === undefined ? "–" : format(value),
    );
  return [
    row("", ["trained", "unlearned", "retrained"]),
    row("accuracy", shares(accuracy)),
    ...(attackSuccess === undefined ? [] : [row("attack success", shares(attackSuccess))]),
    row("removed client's accuracy", shares(removedClientAccuracy)),
    row(
      "seconds",
      amounts(seconds, (value) => value.toFixed(1)),
    ),
    row("client rounds", amounts(clientRounds, String)),
    "",
    `history    ${history.updates} updates of ${history.parameters} values in ${megabytes(history.storedBytes)}: ` +
      `${history.ratio >= 1 ? `${history.ratio.toFixed(1)} times less` : `${(1 / history.ratio).toFixed(1)} times more`} than float32 (${history.bitsPerParameter.toFixed(2)} bits a value)`,
    ...(document.parameterDistance === undefined
      ? []
      : [
          `distance   ${document.parameterDistance.toFixed(2)} of the way to the retrained parameters is left`,
        ]),
    ...document.diagnosis.warnings.map(({ message }) => `warning    ${message}`),
    ...(document.verdict === undefined
      ? ["verdict    none: nothing to compare with (--no-retrain)"]
      : [
          `verdict    ${document.verdict}`,
          ...(document.reasons ?? []).map((reason) => `           ${reason}`),
        ]),
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}
