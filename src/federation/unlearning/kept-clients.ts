import type { ClientId } from "../../kernel/client-id.ts";
import type { RequestWith, UnlearningOutcome } from "./contract.ts";

/** The clients that stay. */
export function keptClients({ clients, leavers }: RequestWith<"clients">): readonly ClientId[] {
  const leaving = new Set<ClientId>(leavers);
  return clients.clients.filter((client) => !leaving.has(client));
}

/** The outcome of a rule whose work the kept clients did: no record was read, no self-diagnosis is made. */
export function workOf(
  request: RequestWith<"clients">,
  weights: Float32Array,
  treatment: string,
): UnlearningOutcome {
  return {
    weights,
    diagnosis: { verdict: "unjudged", values: {}, warnings: [] },
    evidence: {
      rounds: 0,
      correctedRounds: 0,
      recordsRead: 0,
      keptClients: keptClients(request).length,
      leavers: request.leavers.length,
      treatments: [{ layer: "all", treatment, details: {} }],
    },
  };
}
