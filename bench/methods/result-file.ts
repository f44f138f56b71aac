import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { describeMachine } from "../../src/cli/machine.ts";
import { packageVersions } from "../../src/cli/package-versions.ts";
import { writeFileAtomically } from "../../src/storage/atomic-file.ts";

/** Where the results of acceptance experiments lie, `ID.json` each. */
export const RESULTS = join(import.meta.dirname, "../results/methods");

/** One model of an experiment. */
const rowSchema = z.strictObject({
  /** Which of the experiment's cases: `class`, `random`, … */
  case: z.string(),
  seed: z.int(),
  /** What the model is called in the criteria: `original`, `retrained`, a method, a method with a part left out. */
  model: z.string(),
  method: z.string().optional(),
  settings: z.record(z.string(), z.unknown()).optional(),
  /** Shares are percentages. */
  figures: z.record(z.string(), z.number()),
  /** Seconds of one processor core: what others do on the machine does not count. */
  cpuSeconds: z.number(),
  gradientEvaluations: z.int(),
  /** Computed before any request, from all training samples. */
  preparation: z.strictObject({ cpuSeconds: z.number(), bytes: z.int() }).optional(),
  stop: z.string().optional(),
  details: z.record(z.string(), z.union([z.number(), z.string()])).optional(),
  commit: z.string(),
});

/** What a specification asks for, and what was found. */
const criterionSchema = z.strictObject({
  claim: z.string(),
  target: z.string(),
  figure: z.string(),
  isMet: z.boolean(),
});

const resultSchema = z.strictObject({
  method: z.string(),
  /** Data, model and requests in a sentence. */
  title: z.string(),
  command: z.string(),
  machine: z.looseObject({ processor: z.string(), cores: z.int() }),
  /** Counts, recipe, and whatever else decides the figures. */
  setup: z.record(z.string(), z.unknown()),
  /** Settings chosen on validation data in the first seed, by model. */
  chosen: z.record(z.string(), z.record(z.string(), z.unknown())),
  rows: z.array(rowSchema),
  criteria: z.array(criterionSchema),
  /** Why a figure was missed, what was tried, what the targets do not say. */
  remarks: z.array(z.string()),
});

export type Row = z.output<typeof rowSchema>;
export type Criterion = z.output<typeof criterionSchema>;
export type MethodResult = z.output<typeof resultSchema>;

/** The result of a method's acceptance experiment; `undefined` where none was run. */
export function readResult(method: string): MethodResult | undefined {
  const path = join(RESULTS, `${method}.json`);
  return existsSync(path) ? resultSchema.parse(JSON.parse(readFileSync(path, "utf8"))) : undefined;
}

/** Writes a result, with the machine and versions of now. */
export function writeResult(result: Omit<MethodResult, "machine" | "command">): void {
  const { method, title, ...rest } = result;
  const document: MethodResult = {
    method,
    title,
    command: `node bench/methods/${method}.ts`,
    machine: { ...describeMachine(packageVersions()) },
    ...rest,
  };
  writeFileAtomically(
    join(RESULTS, `${method}.json`),
    `${JSON.stringify(resultSchema.parse(document), undefined, 1)}\n`,
  );
}

/** The short name of the commit that is checked out, with `+` where files differ from it. */
export function currentCommit(): string {
  const git = (...words: string[]): string => execFileSync("git", words, { encoding: "utf8" }).trim();
  const isChanged = git("status", "--porcelain", "--untracked-files=no", "src", "bench").length > 0;
  return `${git("rev-parse", "--short", "HEAD")}${isChanged ? "+" : ""}`;
}
