// A method's page: its declaration, its update rule, and what its acceptance experiment found.
import { readResult } from "../bench/methods/result-file.ts";
import type { MethodListing } from "../src/methods/index.ts";
import { measuredSection } from "./measured-section.ts";

/** docs/methods/ID.md */
export function methodPage(method: MethodListing, rule: string): string {
  const settings = Object.entries(method.settings).map(
    ([name, value]) => `\`${name}\` = \`${JSON.stringify(value)}\``,
  );
  const lines = [
    ["Forgets", method.scope.join(", ")],
    ["Needs", [...method.needs, ...method.uses.map((role) => `${role} (where given)`)].join(", ")],
    ...(method.isPrepared ? [["Prepared beforehand", "from the training data, once for all requests"]] : []),
    ["Guarantee", method.guarantee],
    ["Avoid when", method.avoidWhen],
    ...(settings.length === 0 ? [] : [["Settings", settings.join(", ")]]),
    ...(method.references.length === 0 ? [] : [["Papers", method.references.join(", ")]]),
  ];
  const result = readResult(method.id);
  return [
    `# \`${method.id}\``,
    "",
    `${method.title}. Written by \`tools/generate.ts\`.`,
    "",
    ...lines.map(([name, text]) => `- **${name}:** ${text}`),
    "",
    "## Update rule",
    "",
    rule,
    "",
    ...(result === undefined ? [] : [measuredSection(result)]),
  ].join("\n");
}
