import { InvalidArgumentError } from "commander";
import { type ForgottenBetween, referenceMismatches } from "../audit/matching-runs.ts";
import { digestSamples } from "../data/digest-samples.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { parseCount } from "./context.ts";
import { type OpenRun, openTrainingRun } from "./training-run.ts";

/** What an unlearned model is judged by. */
export type Reference =
  | { readonly kind: "retrain"; readonly count: number }
  | { readonly kind: "holdout" }
  | { readonly kind: "runs"; readonly directories: readonly string[] };

/** `retrain:8`, `runs:DIR,DIR,…`, or `holdout`. */
export function parseReference(text: string): Reference {
  if (text === "holdout") return { kind: text };
  const [, kind, rest = ""] = /^(retrain|runs):(.+)$/.exec(text) ?? [];
  if (kind === "retrain" && /^\d+$/.test(rest)) return { kind, count: parseCount(rest) };
  const directories = rest.split(",").filter((name) => name !== "");
  if (kind === "runs" && directories.length > 0) return { kind, directories };
  throw new InvalidArgumentError(
    "Expected retrain:COUNT, such as retrain:8, runs:DIRECTORY,DIRECTORY,… of models retrained before, or holdout.",
  );
}

/** How many retrained models a reference stands for. */
export function referenceCount(reference: Reference): number {
  switch (reference.kind) {
    case "retrain":
      return reference.count;
    case "runs":
      return reference.directories.length;
    case "holdout":
      return 0;
    default:
      return reference satisfies never;
  }
}

/**
 * Opens references that were retrained before, and says why they cannot be some: a model trained on the forgotten samples is found by the digest
 * its command recorded.
 *
 * @throws LETHE_DATA_RUN, LETHE_INTEGRITY_MODEL
 */
export async function openReferences(
  reference: Reference,
  { run, parts }: OpenRun,
  { retain }: ForgottenBetween,
): Promise<{ readonly given?: readonly ParameterSet[]; readonly refusals: readonly string[] }> {
  if (reference.kind !== "runs") return { refusals: [] };
  const digests = { all: digestSamples(parts.train), retain: digestSamples(parts.train.subset(retain)) };
  const given: ParameterSet[] = [];
  const refusals: string[] = [];
  for (const directory of reference.directories) {
    const opened = await openTrainingRun(directory);
    refusals.push(...referenceMismatches(directory, opened.run, run, digests));
    given.push(opened.weights);
  }
  return { given, refusals };
}
