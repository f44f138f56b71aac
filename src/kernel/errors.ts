/** What a failure means; it alone decides retry (only `transient`), the HTTP status and the exit code. */
export type ErrorKind = "usage" | "data" | "numeric" | "integrity" | "transient" | "cancelled" | "internal";

/** Plain facts about a failure, for machines. Never data values of a person's samples. */
export type ErrorDetails = Readonly<
  Record<string, string | number | boolean | null | readonly (string | number)[]>
>;

/** The one error class of Lethe. `code` is permanent (`LETHE_DATA_…`), `message` is for people. */
export class LetheError extends Error {
  override readonly name = "LetheError";
  readonly code: string;
  readonly kind: ErrorKind;
  readonly details: ErrorDetails;

  constructor(
    kind: ErrorKind,
    code: string,
    message: string,
    options: { readonly details?: ErrorDetails; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.code = `LETHE_${code}`;
    this.details = options.details ?? {};
  }
}

/** True for a {@link LetheError}, and with `kind` only for one of that kind. Works across module copies. */
export function isLetheError(error: unknown, kind?: ErrorKind): error is LetheError {
  if (!(error instanceof Error) || error.name !== "LetheError" || !("kind" in error)) return false;
  return kind === undefined || error.kind === kind;
}

/** The exit code of a command that ended with this kind of failure (0 is success, 4 an audit's refusal). */
export const exitCodeOf = {
  usage: 2,
  data: 3,
  numeric: 3,
  integrity: 5,
  transient: 1,
  cancelled: 130,
  internal: 1,
} as const satisfies Record<ErrorKind, number>;

/**
 * Throws when `signal` was aborted.
 *
 * @throws LETHE_CANCELLED
 */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new LetheError("cancelled", "CANCELLED", "The operation was cancelled.");
}
