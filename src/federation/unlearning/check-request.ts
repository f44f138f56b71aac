import { LetheError } from "../../kernel/errors.ts";
import type { UnlearningRequest } from "./contract.ts";

/**
 * Checks what every rule relies on.
 *
 * @throws LETHE_USAGE_LEAVERS when nobody, or one client twice, is to be forgotten, or nobody would be left;
 * LETHE_DATA_SHAPE when an array does not fit the layout; LETHE_NUMERIC_NOT_FINITE for weights that are not finite
 */
export function checkRequest(request: UnlearningRequest): void {
  const { leavers, layout, training } = request;
  if (leavers.length === 0) {
    throw leaversError("Expected at least one client to forget, got none. There is nothing to do.");
  }
  if (new Set(leavers).size !== leavers.length) {
    throw leaversError(`Expected distinct clients to forget, got ${leavers.join(", ")}.`);
  }
  if (leavers.length >= training.clients) {
    throw leaversError(
      `Expected clients to be left, got a request to forget ${leavers.length} of ${training.clients}. Discard the model instead.`,
    );
  }
  checkArray("finalWeights", request.finalWeights, layout.length);
  checkArray("initialWeights", request.initialWeights, layout.length);
  if (training.secondMoment !== undefined) {
    checkArray("training.secondMoment", training.secondMoment, layout.length);
  }
}

function checkArray(name: string, array: Float32Array, length: number): void {
  if (array.length !== length) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected ${length} elements in \`${name}\` as in the layout, got ${array.length}.`,
    );
  }
  const position = array.findIndex((value) => !Number.isFinite(value));
  if (position >= 0) {
    throw new LetheError(
      "numeric",
      "NUMERIC_NOT_FINITE",
      `Expected finite numbers in \`${name}\`, got ${array[position]} at element ${position}.`,
    );
  }
}

function leaversError(message: string): LetheError {
  return new LetheError("usage", "USAGE_LEAVERS", message);
}
