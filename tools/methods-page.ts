// The list of unlearning methods, from their declarations and results.
import { readResult } from "../bench/methods/result-file.ts";
import { listMethods, type MethodListing } from "../src/methods/index.ts";

/** docs/methods.md */
export function methodsPage(): string {
  return `# Methods

Written by \`tools/generate.ts\` from the declarations in \`src/methods\`. \`lethe unlearn DIR --forget SPEC --method ID --set NAME=VALUE\`
runs one, \`lethe bench methods\` compares them with retraining. Each has a page with its update rule, when not to use it, and what its
acceptance experiment (\`bench/methods/ID.ts\`) found, where it has one: how many of its targets are met stands in the last column.

| method | does | forgets | needs | targets met |
|---|---|---|---|---|
${listMethods().map(rowOf).join("\n")}
`;
}

function rowOf({ id, title, scope, needs, uses }: MethodListing): string {
  const data = [...needs, ...uses.map((role) => `(${role})`)].join(", ");
  const criteria = readResult(id)?.criteria ?? [];
  const met = criteria.filter(({ isMet }) => isMet).length;
  const verdict = criteria.length === 0 ? "" : `${met} of ${criteria.length}`;
  return `| [\`${id}\`](methods/${id}.md) | ${title} | ${scope.join(", ")} | ${data} | ${verdict} |`;
}
