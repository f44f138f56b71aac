import type { z } from "zod";
import type { Samples } from "../data/dataset.ts";
import { LetheError } from "../kernel/errors.ts";
import type { Progress } from "../kernel/events.ts";
import { firstNonFinite, type ParameterSet } from "../kernel/parameters.ts";
import { checkedSettings } from "../kernel/settings.ts";
import { checkRequest, checkWeights } from "./check-request.ts";
import type {
  Evidence,
  GivenRoles,
  Method,
  MethodRequest,
  MethodResult,
  PreparationRequest,
  RequestWith,
  Role,
} from "./contract.ts";
import { countedSamples } from "./parts/counted-samples.ts";
import { createWorkbench, type Workbench } from "./workbench.ts";

/** What a method says of itself, and what it does. */
export interface MethodDeclaration<R extends Role, U extends Role, S extends z.ZodType>
  extends Omit<Method, "needs" | "uses" | "config" | "prepare" | "run" | "grid"> {
  readonly needs: readonly R[];
  readonly uses?: readonly U[];
  readonly config: S;
  readonly grid?: Method["grid"];
  readonly prepare?: (
    request: PreparationRequest & { readonly workbench: Workbench },
    config: z.output<S>,
  ) => Progress<ParameterSet>;
  readonly run: (request: RequestWith<R, U>, config: z.output<S>) => Progress<MethodResult>;
}

/**
 * Makes a method out of its declaration. The body sees only the roles it declared, whose reads are counted, settings that
 * are valid, and a workbench whose compiled graphs are counted and freed at the end.
 */
export function defineMethod<const R extends Role, S extends z.ZodType, const U extends Role = never>(
  declaration: MethodDeclaration<R, U, S>,
): Method {
  const { id, needs, uses = [], config, prepare, grid = {}, ...facts } = declaration;
  const method: Method = {
    ...facts,
    id,
    needs,
    uses,
    config,
    grid,
    async *run(request, settings = {}) {
      const parsed = checkedSettings(id, config, settings);
      checkRequest(method, request);
      if (prepare !== undefined && request.prepared === undefined) {
        throw new LetheError(
          "usage",
          "USAGE_PREPARATION",
          `Expected what \`prepare\` of the method \`${id}\` gives, got none. Prepare it from the training data first.`,
          { details: { method: id } },
        );
      }
      const { visible, evidenceOf } = countedRoles([...needs, ...uses], request);
      await using workbench = createWorkbench(request);
      const started = { method: id, scope: request.scope, forget: request.forget?.count ?? 0 };
      yield { type: "started", operation: "unlearn", details: started };
      const result = yield* declaration.run({ ...visible, workbench } as RequestWith<R, U>, parsed);
      checkResult(id, request, result);
      const { inner, ...rest } = result;
      const own = workbench.evaluations();
      return {
        ...rest,
        weights: fresh(result.weights, request.weights),
        evidence: {
          read: evidenceOf(),
          gradientEvaluations: own.gradientEvaluations + (inner?.gradientEvaluations ?? 0),
          forwardEvaluations: own.forwardEvaluations + (inner?.forwardEvaluations ?? 0),
        },
      };
    },
  };
  if (prepare === undefined) return method;
  return {
    ...method,
    async *prepare(request, settings = {}) {
      const parsed = checkedSettings(id, config, settings);
      checkWeights(request);
      const training = countedSamples(request.training);
      await using workbench = createWorkbench(request);
      yield { type: "started", operation: "prepare", details: { method: id } };
      const prepared = yield* prepare({ ...request, training: training.samples, workbench }, parsed);
      return { prepared, evidence: { read: {}, ...workbench.evaluations() } };
    },
  };
}

function countedRoles(
  roles: readonly Role[],
  request: MethodRequest & GivenRoles,
): {
  readonly visible: MethodRequest & GivenRoles;
  readonly evidenceOf: () => Evidence["read"];
} {
  const { forget, retain, validation, ...bare } = request;
  const given: Readonly<Record<Role, Samples | undefined>> = { forget, retain, validation };
  const counted = roles.flatMap((role) => {
    const samples = given[role];
    return samples === undefined || samples.count === 0 ? [] : [[role, countedSamples(samples)] as const];
  });
  return {
    visible: { ...bare, ...Object.fromEntries(counted.map(([role, { samples }]) => [role, samples])) },
    evidenceOf: () => Object.fromEntries(counted.map(([role, { counts }]) => [role, counts()])),
  };
}

function checkResult(id: string, { architecture }: MethodRequest, { weights }: MethodResult): void {
  for (const { name } of architecture.weights) {
    const values = weights.get(name);
    if (values !== undefined && firstNonFinite(values) < 0) continue;
    throw new LetheError(
      "numeric",
      "NUMERIC_NOT_FINITE",
      `Expected finite weights from the method \`${id}\`, got others in \`${name}\`. Lower its learning rate.`,
      { details: { method: id } },
    );
  }
}

/** The same weights in arrays of their own: tensors a method left alone are still the trained model's. */
function fresh(weights: ParameterSet, given: ParameterSet): ParameterSet {
  return new Map(
    [...weights].map(([name, values]) => [name, values === given.get(name) ? values.slice() : values]),
  );
}
