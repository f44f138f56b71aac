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

/**
 * Looks for a method's best settings, one after the other: from its defaults, every value of the first setting of its grid, from the
 * best of these every value of the second, until all trials are used up.
 *
 * @param score - of settings, higher is better; `undefined` for settings that come to nothing
 * @returns the best settings; the defaults where nothing better, or nothing at all, comes of the others
 */
export async function searchSettings(
  { grid }: Pick<Method, "grid">,
  trials: number,
  score: (settings: Settings) => Promise<number | undefined>,
): Promise<Settings> {
  let left = trials;
  let best: { readonly settings: Settings; readonly score: number } = {
    settings: {},
    score: Number.NEGATIVE_INFINITY,
  };
  const attempt = async (settings: Settings): Promise<void> => {
    if (left <= 0) return;
    left--;
    const reached = await score(settings);
    if (reached !== undefined && reached > best.score) best = { settings, score: reached };
  };
  // Defaults alone need no trial.
  if (trials < 2 || Object.keys(grid).length === 0) return {};
  await attempt({});
  for (const [name, values] of Object.entries(grid)) {
    const from = best.settings;
    for (const value of values) await attempt({ ...from, [name]: value });
  }
  return best.settings;
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
