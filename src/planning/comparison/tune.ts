import type { Samples } from "../../data/dataset.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Method } from "../../methods/contract.ts";
import { withoutClasses } from "../../methods/parts/class-accuracy.ts";
import { accuracy } from "../../metrics/accuracy.ts";
import { predictedClasses } from "../../metrics/predictions.ts";
import type { Architecture } from "../../models/architecture.ts";
import type { Predictor } from "../../training/predictor.ts";

/** Settings of a method. */
export type Settings = Readonly<Record<string, unknown>>;

/** The settings a method tries: its defaults, then its grid one setting at a time, in turns over the settings. */
export function trialsOf(method: Pick<Method, "grid">, count: number): readonly Settings[] {
  const axes = Object.entries(method.grid);
  const longest = Math.max(0, ...axes.map(([, values]) => values.length));
  const variations = Array.from({ length: longest }, (_, index) =>
    axes.flatMap(([name, values]) => (index < values.length ? [{ [name]: values[index] }] : [])),
  ).flat();
  return [{}, ...variations].slice(0, count);
}

/**
 * How good an unlearned model looks without any retrained one: the accuracy it keeps on held-out samples of the kept classes, less
 * how far its forget accuracy is from where it should be. That is 0 for whole classes, and for anything else the trained model's
 * accuracy on samples it never saw. Nothing of the test part or of retrained models is read.
 */
export async function validationScore(
  bench: {
    readonly architecture: Architecture;
    readonly forgetClasses: readonly number[];
    readonly forget: Samples;
    readonly validation: Samples;
  },
  predictor: Predictor,
  weights: ParameterSet,
  neverSeen: number,
): Promise<number> {
  const right = async (samples: Samples): Promise<number> =>
    samples.count === 0
      ? 0
      : accuracy(
          predictedClasses(await predictor.logitsOf(weights, samples), bench.architecture.classes),
          samples.labels,
        );
  const kept = withoutClasses(bench.validation, bench.forgetClasses);
  const target = bench.forgetClasses.length > 0 ? 0 : neverSeen;
  return (await right(kept)) - Math.abs((await right(bench.forget)) - target);
}
