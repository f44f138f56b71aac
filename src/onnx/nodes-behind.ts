import type { GraphNode, Value } from "./ir.ts";

/** The nodes some values are computed by, in no particular order. */
export function nodesBehind(values: readonly Value[]): ReadonlySet<GraphNode> {
  const found = new Set<GraphNode>();
  const pending = [...values];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (value.node === undefined || found.has(value.node)) continue;
    found.add(value.node);
    for (const input of value.node.inputs) if (input !== undefined) pending.push(input);
  }
  return found;
}
