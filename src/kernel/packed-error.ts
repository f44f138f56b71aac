import { type ErrorDetails, type ErrorKind, isLetheError, LetheError } from "./errors.ts";

/** An error as plain data, to be sent where a class does not survive: from a worker thread, over a socket. */
export interface PackedError {
  readonly message: string;
  /** Where it was thrown. */
  readonly stack: string | undefined;
  /** What makes it a {@link LetheError}; undefined for any other. */
  readonly lethe:
    | { readonly kind: ErrorKind; readonly code: string; readonly details: ErrorDetails }
    | undefined;
  readonly cause: PackedError | undefined;
}

/** Takes an error apart, causes included. */
export function packError(error: unknown): PackedError {
  const isError = error instanceof Error;
  const lethe = isLetheError(error)
    ? { kind: error.kind, code: error.code, details: error.details }
    : undefined;
  return {
    message: isError ? error.message : String(error),
    stack: isError ? error.stack : undefined,
    lethe,
    cause: isError && error.cause !== undefined ? packError(error.cause) : undefined,
  };
}

/** Puts together what {@link packError} took apart: the same kind, code, message, details, causes and stack. */
export function unpackError({ message, stack, lethe, cause }: PackedError): Error {
  const options = cause === undefined ? {} : { cause: unpackError(cause) };
  const error =
    lethe === undefined
      ? new Error(message, options)
      : new LetheError(lethe.kind, lethe.code.replace(/^LETHE_/, ""), message, {
          ...options,
          details: lethe.details,
        });
  if (stack !== undefined) error.stack = stack;
  return error;
}
