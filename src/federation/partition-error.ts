import { LetheError } from "../kernel/errors.ts";

/** A division of samples that cannot be made as asked. */
export function partitionError(message: string): LetheError {
  return new LetheError("usage", "USAGE_PARTITION", message);
}
