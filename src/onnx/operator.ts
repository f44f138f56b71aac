import type { Operator, OperatorTable } from "./ir.ts";

/** The domain of nodes that mean something to differentiation only; in a file they are identities. */
export const OWN_DOMAIN = "lethe";

/** The name of an operator in a table. */
export function operatorKey(type: string, domain = ""): string {
  return isStandard({ domain }) ? type : `${domain}:${type}`;
}

/** Whether a domain, of a node or of an opset, is that of the standard operators: it has two names. */
export function isStandard({ domain }: { readonly domain: string }): boolean {
  return domain === "" || domain === "ai.onnx";
}

/**
 * Collects operators into a table.
 *
 * @throws Error when two have one name, which is a programming error
 */
export function operatorTable(operators: readonly Operator[]): OperatorTable {
  const table = new Map<string, Operator>();
  for (const operator of operators) {
    const key = operatorKey(operator.type, operator.domain);
    if (table.has(key)) throw new Error(`operator ${key} is defined twice`);
    table.set(key, operator);
  }
  return table;
}
