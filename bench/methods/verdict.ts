import type { Experiment } from "./experiment.ts";
import type { Criterion, Row } from "./result-file.ts";

/** A figure over the seeds. */
export interface Spread {
  readonly mean: number;
  readonly least: number;
  readonly most: number;
}

/** What is found of a model's rows beside those of the same seeds' original and retrained models, where there are such. */
export function spread(
  experiment: Pick<Experiment, "rows">,
  id: string,
  model: string,
  figure: (row: Row, original: Row, retrained: Row) => number,
): Spread {
  const of = (name: string, row: Row): Row =>
    experiment.rows(id, name).find(({ seed }) => seed === row.seed) ?? row;
  const found = experiment
    .rows(id, model)
    .map((row) => figure(row, of("original", row), of("retrained", row)));
  return {
    mean: found.reduce((sum, value) => sum + value, 0) / found.length,
    least: Math.min(...found),
    most: Math.max(...found),
  };
}

/** Sample gradients in per cent of a retraining. */
export function shareOfRetraining(experiment: Pick<Experiment, "rows">, id: string, model: string): Spread {
  return spread(
    experiment,
    id,
    model,
    (row, _, retrained) => (100 * row.gradientEvaluations) / retrained.gradientEvaluations,
  );
}

/** Met where the mean is no more than a limit. */
export function most(claim: string, limit: number, found: Spread): Criterion {
  return { claim, target: `≤ ${limit.toFixed(1)}`, figure: shown(found), isMet: found.mean <= limit };
}

/** Met where the mean is no less than a limit. */
export function least(claim: string, limit: number, found: Spread): Criterion {
  return { claim, target: `≥ ${limit.toFixed(1)}`, figure: shown(found), isMet: found.mean >= limit };
}

function shown({ mean, least: low, most: high }: Spread): string {
  return `${mean.toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)})`;
}
