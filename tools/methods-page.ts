// The page of unlearning methods, from their declarations.
import { listMethods, type MethodListing } from "../src/methods/index.ts";

/** docs/methods.md */
export function methodsPage(): string {
  return `# Methods

Written by \`tools/generate.ts\` from the declarations in \`src/methods\`. \`lethe unlearn DIR --forget SPEC --method ID --set NAME=VALUE\`
runs one, \`lethe bench methods\` compares them with retraining. Formulas and departures from the papers stand at the head of each
method's file.

${listMethods().map(sectionOf).join("\n")}`;
}

function sectionOf(method: MethodListing): string {
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
  return `## \`${method.id}\`\n\n${method.title}.\n\n${lines.map(([name, text]) => `- **${name}:** ${text}`).join("\n")}\n`;
}
