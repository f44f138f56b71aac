import { digestArrays } from "../../kernel/digest.ts";
import { isLetheError } from "../../kernel/errors.ts";
import { consume, type Progress } from "../../kernel/events.ts";
import { deriveKey } from "../../kernel/key.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Method, MethodRequest, Roles } from "../../methods/contract.ts";
import { findMethod, methods } from "../../methods/index.ts";
import { accuracyOf } from "../../methods/parts/class-accuracy.ts";
import { createPredictor } from "../../training/predictor.ts";
import { trainByRecipe } from "../../training/recipe.ts";
import type { Comparison, ComparisonFailure, ComparisonPlan, ComparisonRow, ComparisonSeed } from "./case.ts";
import { compareWith, figuresOf, scoresOn } from "./figures.ts";
import { type Settings, trialsOf, validationScore } from "./tune.ts";

/** What a comparison gives. */
export interface ComparisonResult {
  readonly rows: readonly ComparisonRow[];
  readonly failures: readonly ComparisonFailure[];
  /** By seed: the trained model, the retrained one, and a second retrained one against the first. */
  readonly references: readonly {
    readonly seed: number;
    readonly original: Comparison;
    readonly retrained: Comparison;
    readonly control: Comparison;
    readonly seconds: number;
    readonly gradientEvaluations: number;
  }[];
}

/** The methods that can serve a request, wrappers with their defaults. */
export function methodsFor(plan: Pick<ComparisonPlan, "scope" | "methods">): readonly Method[] {
  const chosen = plan.methods?.map(findMethod) ?? Object.values(methods).filter(({ id }) => id !== "retrain");
  return chosen.filter(({ scope }) => scope.includes(plan.scope));
}

/**
 * Runs every method that can serve a request on freshly trained models and compares each result with retraining.
 *
 * Per seed: a model is trained, and retrained twice without the forget samples. Each method is tuned in the first seed on validation
 * data, with the same number of trials, and keeps its settings. Preparations are counted apart. A method that throws is reported and the
 * others go on.
 *
 * @throws LETHE_CANCELLED, and what training throws
 */
export async function* compareMethods(plan: ComparisonPlan): Progress<ComparisonResult> {
  const chosen = methodsFor(plan);
  const rows: ComparisonRow[] = [];
  const failures: ComparisonFailure[] = [];
  const references: ComparisonResult["references"][number][] = [];
  const settings = new Map<string, Settings>();
  await using predictor = await createPredictor(plan.architecture, plan.runtime);
  const total = plan.seeds * (chosen.length + 1);
  for (let seed = 0; seed < plan.seeds; seed++) {
    yield { type: "phase", name: `Seed ${seed + 1} of ${plan.seeds}: training`, index: seed, of: plan.seeds };
    const trained = await trainSeed(plan, seed);
    const retrainedScores = await scoresOn(plan, predictor, trained.retrained);
    const retrained = { scores: retrainedScores, figures: figuresOf(plan, retrainedScores) };
    const judge = async (weights: ParameterSet): Promise<Comparison> =>
      compareWith(plan, await scoresOn(plan, predictor, weights), retrained);
    references.push({
      seed,
      original: await judge(trained.original),
      retrained: await judge(trained.retrained),
      control: await judge(trained.control),
      seconds: trained.seconds,
      gradientEvaluations: trained.gradientEvaluations,
    });
    for (const [index, method] of chosen.entries()) {
      const step = seed * (chosen.length + 1) + index + 1;
      yield { type: "step", step, of: total, scalars: { method: method.id, seed: seed + 1 } };
      try {
        const request = requestFor(plan, trained, method);
        const prepared = await prepare(plan, trained, method);
        const full = { ...request, prepared: prepared?.tensors };
        const known = settings.get(method.id) ?? (await tune(plan, method, full, predictor));
        settings.set(method.id, known);
        const started = performance.now();
        const outcome = await consume(method.run(full, known));
        const seconds = (performance.now() - started) / 1000;
        const { gradientEvaluations } = outcome.evidence;
        rows.push({
          method: method.id,
          seed,
          settings: known,
          figures: await judge(outcome.weights),
          seconds,
          gradientEvaluations,
          timeShare: seconds / trained.seconds,
          gradientShare: gradientEvaluations / trained.gradientEvaluations,
          ...(prepared === undefined ? {} : { preparation: prepared.cost }),
          ...(outcome.stop === undefined ? {} : { stop: outcome.stop.by }),
          digest: digestArrays(outcome.weights),
        });
      } catch (error) {
        if (!isLetheError(error) || error.kind === "cancelled") throw error;
        failures.push({ method: method.id, seed, code: error.code, message: error.message });
        yield {
          type: "notice",
          code: error.code,
          message: `${method.id}: ${error.message}`,
          details: { seed },
        };
      }
    }
  }
  return { rows, failures, references };
}

async function trainSeed(plan: ComparisonPlan, seed: number): Promise<ComparisonSeed> {
  const { architecture, recipe, runtime, parts, retain, signal } = plan;
  const train = async (purpose: string, samples: typeof retain): Promise<ParameterSet> => {
    const key = deriveKey(plan.key, purpose, seed);
    return (await consume(trainByRecipe(recipe, { architecture, samples, key, runtime, signal }))).weights;
  };
  const original = await train("original", parts.train);
  const started = performance.now();
  const retrained = await train("retrained", retain);
  const seconds = (performance.now() - started) / 1000;
  const control = await train("control", retain);
  return { seed, original, retrained, control, seconds, gradientEvaluations: recipe.epochs * retain.count };
}

function requestFor(
  plan: ComparisonPlan,
  { original, seed }: ComparisonSeed,
  method: Method,
): MethodRequest & Roles {
  const { architecture, scope, forgetClasses, recipe, runtime, forget, retain, parts, signal } = plan;
  return {
    architecture,
    weights: original,
    scope,
    forgetClasses,
    recipe,
    key: deriveKey(plan.key, "method", method.id, seed),
    runtime,
    methods,
    signal,
    forget,
    retain,
    validation: parts.validation,
  };
}

async function prepare(
  plan: ComparisonPlan,
  { original, seed }: ComparisonSeed,
  method: Method,
): Promise<
  { readonly tensors: ParameterSet; readonly cost: { seconds: number; bytes: number } } | undefined
> {
  if (method.prepare === undefined) return undefined;
  const { architecture, recipe, runtime, parts, signal } = plan;
  const started = performance.now();
  const { prepared } = await consume(
    method.prepare({
      architecture,
      weights: original,
      recipe,
      key: deriveKey(plan.key, "prepare", method.id, seed),
      runtime,
      training: parts.train,
      signal,
    }),
  );
  const bytes = [...prepared.values()].reduce((sum, values) => sum + values.byteLength, 0);
  return { tensors: prepared, cost: { seconds: (performance.now() - started) / 1000, bytes } };
}

/** The settings with the best score on validation data; the defaults where nothing better, or nothing at all, comes of the others. */
async function tune(
  plan: ComparisonPlan,
  method: Method,
  request: MethodRequest & Roles,
  predictor: Awaited<ReturnType<typeof createPredictor>>,
): Promise<Settings> {
  const trials = trialsOf(method, plan.trials);
  if (trials.length < 2 || plan.parts.validation.count === 0) return {};
  const neverSeen = await accuracyOf(
    predictor,
    request.weights,
    plan.parts.validation,
    plan.architecture.classes,
  );
  let best: { readonly settings: Settings; readonly score: number } | undefined;
  for (const settings of trials) {
    try {
      const { weights } = await consume(method.run(request, settings));
      const score = await validationScore(plan, predictor, weights, neverSeen);
      if (best === undefined || score > best.score) best = { settings, score };
    } catch (error) {
      // A diverging trial has lost; anything else is no matter of settings.
      if (!isLetheError(error, "numeric")) throw error;
    }
  }
  return best?.settings ?? {};
}
