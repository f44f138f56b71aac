import { LetheError } from "../../kernel/errors.ts";
import type { Method, MethodRequest } from "../contract.ts";

/**
 * The method a wrapper is to run inside.
 *
 * @throws LETHE_USAGE_METHOD for an id there is none of, for the wrapper itself, and for a method that wraps or needs a preparation
 */
export function innerMethod(request: MethodRequest, wrapper: string, id: string): Method {
  const inner = request.methods?.[id];
  if (inner !== undefined && id !== wrapper && inner.prepare === undefined) return inner;
  const known = Object.values(request.methods ?? {}).flatMap((method) =>
    method.id === wrapper || method.prepare !== undefined ? [] : [method.id],
  );
  throw new LetheError(
    "usage",
    "USAGE_METHOD",
    `Expected a method to run inside \`${wrapper}\` (${known.join(", ")}), got \`${id}\`.`,
    { details: { method: wrapper, inner: id } },
  );
}
