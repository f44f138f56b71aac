import type { Samples } from "../data/dataset.ts";
import { LetheError } from "../kernel/errors.ts";
import { sizeOf } from "../kernel/layout.ts";
import { firstNonFinite } from "../kernel/parameters.ts";
import type { Architecture } from "../models/architecture.ts";
import type { GivenRoles, Method, MethodRequest, Role } from "./contract.ts";

/**
 * Checks what every method relies on, before any work.
 *
 * @throws LETHE_USAGE_SCOPE, LETHE_USAGE_METHOD, LETHE_DATA_MISSING_FORGET (and so on by role), LETHE_DATA_EMPTY, LETHE_DATA_OVERLAP,
 * LETHE_DATA_SHAPE, LETHE_NUMERIC_NOT_FINITE
 */
export function checkRequest(
  method: Pick<Method, "id" | "scope" | "needs" | "isForLabels">,
  request: MethodRequest & GivenRoles,
): void {
  if (!method.scope.includes(request.scope)) {
    throw new LetheError(
      "usage",
      "USAGE_SCOPE",
      `Expected a request of scope ${method.scope.join(" or ")} for the method \`${method.id}\`, got \`${request.scope}\`. ` +
        "`lethe methods` lists what each method can forget.",
      { details: { method: method.id, scope: request.scope } },
    );
  }
  if (method.isForLabels && request.architecture.labelShape.length > 0) {
    throw new LetheError(
      "usage",
      "USAGE_METHOD",
      `Expected a model with one answer a sample for the method \`${method.id}\`, which works with labels, got \`${request.architecture.id}\`, ` +
        "which answers at every position. Take npo, scrub, neg-grad-plus, gradient-ascent, fine-tune or retrain.",
      { details: { method: method.id } },
    );
  }
  checkWeights(request);
  for (const role of method.needs) checkRole(method.id, role, request[role], request.architecture);
  if (request.forget !== undefined && request.retain !== undefined) {
    checkDisjoint(request.forget, request.retain);
  }
}

/** @throws LETHE_DATA_SHAPE, LETHE_NUMERIC_NOT_FINITE */
export function checkWeights({
  architecture,
  weights,
}: Pick<MethodRequest, "architecture" | "weights">): void {
  for (const { name, shape } of architecture.weights) {
    const values = weights.get(name);
    if (values?.length !== sizeOf(shape)) {
      throw new LetheError(
        "data",
        "DATA_SHAPE",
        `Expected ${sizeOf(shape)} values for the weights \`${name}\`, got ${values?.length ?? "none"}.`,
      );
    }
    const position = firstNonFinite(values);
    if (position >= 0) {
      throw new LetheError(
        "numeric",
        "NUMERIC_NOT_FINITE",
        `Expected finite weights, got ${values[position]} in \`${name}\` at element ${position}.`,
      );
    }
  }
}

function checkRole(
  method: string,
  role: Role,
  samples: Samples | undefined,
  architecture: Architecture,
): void {
  if (samples === undefined) {
    throw new LetheError(
      "data",
      `DATA_MISSING_${role.toUpperCase()}`,
      `Expected ${role} samples for the method \`${method}\`, got none.`,
      { details: { method, role } },
    );
  }
  if (samples.count === 0) {
    const remedy =
      role === "validation"
        ? "Train with a validation share (`lethe train --validation 0.1`), or use a method without a stopping rule."
        : role === "retain"
          ? "To forget everything, discard the model."
          : "There is nothing to do.";
    throw new LetheError(
      "data",
      "DATA_EMPTY",
      `Expected ${role} samples for the method \`${method}\`, got an empty set. ${remedy}`,
      { details: { method, role } },
    );
  }
  if (
    samples.featureLength !== sizeOf(architecture.inputShape) ||
    samples.classCount > architecture.classes
  ) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected ${role} samples [${architecture.inputShape}] of at most ${architecture.classes} classes for \`${architecture.id}\`, ` +
        `got [${samples.featureShape}] and ${samples.classCount}.`,
    );
  }
}

function checkDisjoint(forget: Samples, retain: Samples): void {
  const forgotten = new Set(Array.from(forget.labels, (_, position) => forget.id(position)));
  let shared = 0;
  for (let position = 0; position < retain.count; position++) {
    if (forgotten.has(retain.id(position))) shared++;
  }
  if (shared === 0) return;
  throw new LetheError(
    "data",
    "DATA_OVERLAP",
    `Expected forget and retain samples without common ones, got ${shared} in both. Take the forget samples out of the retain set.`,
    { details: { shared } },
  );
}
