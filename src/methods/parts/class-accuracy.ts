import type { Samples } from "../../data/dataset.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { scoreAnswers } from "../../metrics/answer-scores.ts";
import type { Workbench } from "../workbench.ts";

/** Share of samples, or of text of the positions that count, a model gets right, in [0, 1]; NaN for none. */
export async function accuracyOf(
  workbench: Pick<Workbench, "logitsOf">,
  weights: ParameterSet,
  samples: Samples,
  classes: number,
): Promise<number> {
  return (await scoreAnswers((part) => workbench.logitsOf(weights, part), samples, classes)).accuracy;
}

/** The samples of all classes but the given ones. */
export function withoutClasses(samples: Samples, classes: readonly number[]): Samples {
  if (classes.length === 0) return samples;
  const left = new Set(classes);
  return samples.subset(
    Uint32Array.from(samples.labels, (_, position) => position).filter(
      (position) => !left.has(samples.labels[position] as number),
    ),
  );
}

/** The samples of the given classes. */
export function ofClasses(samples: Samples, classes: Iterable<number>): Samples {
  const wanted = new Set(classes);
  return samples.subset(
    Uint32Array.from(samples.labels, (_, position) => position).filter((position) =>
      wanted.has(samples.labels[position] as number),
    ),
  );
}
