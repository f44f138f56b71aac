import { trainModels } from "../../audit/farm/model-farm.ts";
import { shareSamples } from "../../audit/farm/shared-samples.ts";
import { type FarmHeader, jobDigest, type TrainingJob } from "../../audit/farm/training-job.ts";
import { nested, type Progress } from "../../kernel/events.ts";
import type { Method } from "../../methods/contract.ts";
import { findMethod, methods } from "../../methods/index.ts";
import type { ComparisonPlan, ComparisonResult } from "./case.ts";
import { judgeCells, YARDSTICK } from "./judge-cells.ts";
import { runCells } from "./run-cells.ts";

/** The methods that can serve a request, `retrain` first; models are not trained in shards here. */
export function methodsFor(plan: Pick<ComparisonPlan, "scope" | "methods">): readonly Method[] {
  const able = Object.values(methods).filter(({ needsShards }) => needsShards !== true);
  const chosen = (plan.methods?.map(findMethod) ?? able).filter(({ id }) => id !== YARDSTICK);
  return [findMethod(YARDSTICK), ...chosen].filter(({ scope }) => scope.includes(plan.scope));
}

/**
 * Runs every method that can serve a request on freshly trained models and compares each result with retraining.
 *
 * Per seed a model is trained, and one retrained without the forget samples; `references` more are retrained. Each method is tuned in the
 * first seed on validation data, with the same number of trials, and keeps its settings. Preparations are counted apart. A
 * method that throws is reported and the others go on. Models and finished cells are stored: an interrupted comparison goes on
 * with what is missing.
 *
 * Every model and every cell has one thread, and as many run at the same time as the farm has workers.
 *
 * @throws LETHE_CANCELLED, LETHE_INTERNAL_WORKER, and what training throws
 */
export async function* compareMethods(plan: ComparisonPlan): Progress<ComparisonResult> {
  const chosen = methodsFor(plan);
  const train = shareSamples(plan.parts.train);
  const header: FarmHeader = { data: train, model: plan.model, recipe: plan.recipe };
  const everything = Uint32Array.from({ length: plan.parts.train.count }, (_, position) => position);
  const seeds = Array.from({ length: plan.seeds }, (_, seed) => seed);
  const originalJobs = seeds.map(
    (seed): TrainingJob => ({ subset: everything, seed: `original ${seed} of ${plan.seed}` }),
  );
  const oracleJobs = Array.from(
    { length: plan.seeds + plan.references },
    // As an audit of the same request names them: what it trained is here already.
    (_, index): TrainingJob => ({ subset: plan.retain, seed: `reference ${index} of ${plan.seed}` }),
  );
  yield { type: "phase", name: "Training and retraining", index: 0, of: 3 };
  const trained = yield* nested(trainModels(header, [...originalJobs, ...oracleJobs], plan.farm));

  yield { type: "phase", name: "Running methods", index: 1, of: 3 };
  const originalDigests = originalJobs.map((job) => jobDigest(header, job));
  const { cells, failures } = yield* nested(runCells(plan, chosen, originalDigests, train));

  yield { type: "phase", name: "Measuring", index: 2, of: 3 };
  const models = { originals: trained.slice(0, plan.seeds), oracles: trained.slice(plan.seeds) };
  return { ...(await judgeCells(plan, models, cells)), failures };
}
