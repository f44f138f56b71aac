import type { Method, Scope } from "../methods/contract.ts";
import type { Recipe } from "../training/recipe.ts";
import { MEASURED_METHODS, type MeasuredMethod } from "./measured-methods.ts";

/** A request on a centrally trained model, as far as a plan depends on it. */
export interface PlannedRequest {
  /** Whether the model was trained in shards. */
  readonly isSharded?: boolean;
  readonly scope: Scope;
  readonly counts: { readonly forget: number; readonly retain: number; readonly validation: number };
  readonly recipe: Pick<Recipe, "epochs">;
  /** What the first training took, where that is known. */
  readonly trainingSeconds?: number | undefined;
  /** Ids of methods that were prepared for this model. */
  readonly prepared: ReadonlySet<string>;
  /** The longest that unlearning may take. */
  readonly mostSeconds: number;
}

/** One method that can serve the request. */
export interface PlanCandidate {
  readonly id: string;
  readonly title: string;
  readonly guarantee: string;
  readonly avoidWhen: string;
  readonly cost: PredictedCost;
  /** Mean gap to retraining in committed comparisons, in points; left out for what was not measured. */
  readonly measuredGap?: number;
  /** What is missing to run it here; empty: nothing. */
  readonly lacks: readonly string[];
}

/** What a method is expected to take with its defaults. */
export interface PredictedCost {
  readonly gradientEvaluations: number;
  /** As a share of retraining. */
  readonly share: number;
  /** Left out where nothing says how long training took. */
  readonly seconds?: number;
  /** `measured`: the share is that of committed comparisons; `schedule`: from its epochs and the samples it reads, a rough guess. */
  readonly basis: "measured" | "schedule";
}

/** A plan. */
export interface RequestPlan {
  readonly candidates: readonly PlanCandidate[];
  /** Id of a method. */
  readonly choice: string;
  readonly why: string;
}

/** Models every audit has to fail: no answer to a request. */
const CONTROLS: ReadonlySet<string> = new Set(["do-nothing", "random-noise"]);
const EXACT = "retrain";

/**
 * Every method that can serve a request, the cheapest first, and which to take: retraining where it can be afforded, since it alone is exact; else
 * the method that came nearest to retraining in measured comparisons among those that can.
 *
 * @param methods - all there are
 */
export function planRequest(methods: readonly Method[], request: PlannedRequest): RequestPlan {
  const candidates = methods
    .filter(({ id, scope }) => !CONTROLS.has(id) && scope.includes(request.scope))
    .map((method) => candidateOf(method, request))
    .sort((a, b) => a.cost.share - b.cost.share);
  return { candidates, ...chosen(candidates, request) };
}

function candidateOf(method: Method, request: PlannedRequest): PlanCandidate {
  const { id, title, guarantee, avoidWhen, needs, prepare } = method;
  const measured = measurementOf(id, request.scope);
  const retraining = request.recipe.epochs * request.counts.retain;
  const share =
    id === EXACT ? 1 : (measured?.gradientShare ?? scheduledEvaluations(method, request) / retraining);
  const seconds = secondsOfRetraining(request);
  return {
    id,
    title,
    guarantee,
    avoidWhen,
    cost: {
      gradientEvaluations: Math.round(share * retraining),
      share,
      ...(seconds === undefined ? {} : { seconds: share * seconds }),
      basis: id === EXACT || measured !== undefined ? "measured" : "schedule",
    },
    ...(measured === undefined ? {} : { measuredGap: 100 * measured.gap }),
    lacks: [
      ...(method.needsShards === true && request.isSharded !== true
        ? ["a model trained in shards: train with --sisa"]
        : []),
      ...(needs.includes("validation") && request.counts.validation === 0
        ? ["samples held out from training: train with --validation"]
        : []),
      ...(prepare !== undefined && !request.prepared.has(id)
        ? ["its preparation, which `lethe unlearn` makes from all training samples: best before any request"]
        : []),
    ],
  };
}

/** Of the request's own scope, or else of any. */
function measurementOf(id: string, scope: Scope): MeasuredMethod | undefined {
  const own = MEASURED_METHODS.filter(({ method }) => method === id);
  const alike = own.filter((row) => row.scope === scope);
  const rows = alike.length > 0 ? alike : own;
  if (rows.length === 0) return undefined;
  const mean = (read: (row: MeasuredMethod) => number): number =>
    rows.reduce((sum, row) => sum + read(row), 0) / rows.length;
  return {
    method: id,
    scope,
    gap: mean(({ gap }) => gap),
    gradientShare: mean(({ gradientShare }) => gradientShare),
  };
}

/** Epochs of the default settings times the samples of the roles it reads; one pass for methods without epochs. */
function scheduledEvaluations({ config, needs }: Method, { counts }: PlannedRequest): number {
  const defaults = config.safeParse({});
  const settings = (defaults.success ? defaults.data : {}) as Readonly<Record<string, unknown>>;
  const epochs = typeof settings.epochs === "number" ? settings.epochs : 1;
  const samples = needs.reduce((sum, role) => sum + (role === "validation" ? 0 : counts[role]), 0);
  return epochs * samples;
}

function secondsOfRetraining({ trainingSeconds, counts }: PlannedRequest): number | undefined {
  return trainingSeconds === undefined
    ? undefined
    : (trainingSeconds * counts.retain) / (counts.retain + counts.forget);
}

function chosen(
  candidates: readonly PlanCandidate[],
  request: PlannedRequest,
): Pick<RequestPlan, "choice" | "why"> {
  const retraining = secondsOfRetraining(request);
  if (retraining === undefined) {
    return {
      choice: EXACT,
      why: "Nothing says how long training took, so that no method can be shown to be needed: retraining alone is exact.",
    };
  }
  const limit = words(request.mostSeconds);
  if (retraining <= request.mostSeconds) {
    return {
      choice: EXACT,
      why: `Retraining takes about ${words(retraining)}, within the ${limit} allowed, and alone is exact: there is nothing left to show.`,
    };
  }
  const able = candidates.filter(
    ({ id, cost, lacks, measuredGap }) =>
      id !== EXACT &&
      lacks.length === 0 &&
      measuredGap !== undefined &&
      (cost.seconds ?? 0) <= request.mostSeconds,
  );
  const [best] = able.sort((a, b) => (a.measuredGap as number) - (b.measuredGap as number));
  if (best === undefined) {
    return {
      choice: EXACT,
      why: `Retraining takes about ${words(retraining)}, longer than the ${limit} allowed, but no method that was measured and lacks nothing is faster.`,
    };
  }
  return {
    choice: best.id,
    why: `Retraining takes about ${words(retraining)}, longer than the ${limit} allowed. Of ${able.length} methods that can do it in that time, \`${best.id}\` came nearest to retraining in committed comparisons (${(best.measuredGap as number).toFixed(1)} points on average, at ${(100 * best.cost.share).toFixed(0)}% of its gradients). It is approximate: audit the result before you rely on it.`,
  };
}

function words(seconds: number): string {
  return seconds < 120 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
}
