import { LetheError } from "./errors.ts";

/** The name of one federated client, as it stands in rounds, history records and requests. */
export type ClientId = string & { readonly __brand: "ClientId" };

/**
 * A text as a client's name.
 *
 * @throws LETHE_USAGE_CLIENT for an empty text
 */
export function clientId(text: string): ClientId {
  if (text === "")
    throw new LetheError("usage", "USAGE_CLIENT", "Expected a client's name, got an empty text.");
  return text as ClientId;
}
