import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { parseForgetSpec } from "../src/data/forget-spec.ts";
import { mean } from "../src/metrics/statistics/summary.ts";

const comparisonSchema = z.object({
  case: z.object({ forget: z.string() }),
  results: z.array(
    z.object({
      method: z.string(),
      figures: z.object({ gap: z.number() }),
      gradientShare: z.number(),
    }),
  ),
});

/** The module of measured methods, from every committed comparison in a directory of results. */
export function measuredMethodsModule(directory: string): string {
  const rows = readdirSync(directory)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .flatMap((name) => {
      const parsed = comparisonSchema.safeParse(JSON.parse(readFileSync(join(directory, name), "utf8")));
      if (!parsed.success) return [];
      const { results, case: setting } = parsed.data;
      const scope = scopeOf(setting.forget);
      return [...Map.groupBy(results, ({ method }) => method)].map(([method, own]) => ({
        method,
        scope,
        gap: rounded(own.map(({ figures }) => figures.gap)),
        gradientShare: rounded(own.map(({ gradientShare }) => gradientShare)),
      }));
    });
  const lines = rows.map(
    ({ method, scope, gap, gradientShare }) =>
      `  { method: "${method}", scope: "${scope}", gap: ${gap}, gradientShare: ${gradientShare} },\n`,
  );
  return `// Written by tools/generate.ts from the comparisons in bench/results: not to be edited.
import type { Scope } from "../methods/contract.ts";

/** What a method did in one committed comparison, the mean over its seeds. */
export interface MeasuredMethod {
  readonly method: string;
  readonly scope: Scope;
  /** Mean distance of UA, RA, TA and MIA to the retrained model's. */
  readonly gap: number;
  /** Sample gradients, as a share of retraining. */
  readonly gradientShare: number;
}

/** What the planner knows of methods. */
export const MEASURED_METHODS: readonly MeasuredMethod[] = [
${lines.join("")}];
`;
}

/** The planner's word for what a request names. */
function scopeOf(forget: string): string {
  const kinds = new Set(parseForgetSpec(forget).map(({ kind }) => kind));
  const [kind] = kinds;
  if (kinds.size > 1 || kind === undefined) return "sample";
  return kind === "class" || kind === "subject" || kind === "group" ? kind : "sample";
}

function rounded(values: readonly number[]): number {
  return Number(mean(values).toFixed(4));
}
