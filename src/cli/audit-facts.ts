import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { findLeftovers, type Leftover } from "../audit/leftovers.ts";
import type { CostRow } from "../report/audit-report-data.ts";
import type { OpenRun } from "./training-run.ts";

/** What `lethe unlearn` says of its work; documents of all versions. */
const workSchema = z.object({
  from: z.string(),
  fromDirectory: z.string().optional(),
  method: z.string().optional(),
  scope: z.enum(["class", "sample", "subject", "group"]).optional(),
  settings: z.record(z.string(), z.unknown()).optional(),
  seconds: z.number().optional(),
  gradientEvaluations: z.number().optional(),
  preparation: z.object({ seconds: z.number().optional(), bytes: z.number().optional() }).optional(),
});

/** What is known of how an unlearned model came about. */
export type UnlearningWork = z.output<typeof workSchema>;

/** Reads what `lethe unlearn` wrote of its work beside the model; `undefined` where it wrote nothing. */
export function readUnlearningWork(directory: string): UnlearningWork | undefined {
  const path = join(directory, "unlearn.json");
  return existsSync(path) ? workSchema.parse(JSON.parse(readFileSync(path, "utf8"))) : undefined;
}

/** What training took, where its directory says so. */
export function trainingSeconds(directory: string): number | undefined {
  const facts = z
    .object({ seconds: z.number().optional(), requests: z.array(z.unknown()).default([]) })
    .safeParse(JSON.parse(readFileSync(join(directory, "run.json"), "utf8")));
  // Once something was unlearned the seconds in the run are still those of the training.
  return facts.success ? facts.data.seconds : undefined;
}

/** Ids of the methods whose preparation lies beside a model. */
export function preparedMethods(directory: string): ReadonlySet<string> {
  return new Set(
    readdirSync(directory).flatMap((name) => /^prepared-([\w-]+)\.safetensors$/.exec(name)?.[1] ?? []),
  );
}

/** What training, unlearning and retraining took: measured seconds where a command wrote them, counted gradients everywhere. */
export function costsOf(
  originalDirectory: string,
  { run, parts }: OpenRun,
  work: UnlearningWork | undefined,
  retained: number,
): readonly CostRow[] {
  const { epochs } = run.settings;
  const seconds = trainingSeconds(originalDirectory);
  return [
    {
      what: "Training the original",
      ...(seconds === undefined ? {} : { seconds }),
      gradientEvaluations: epochs * parts.train.count,
    },
    ...(work?.preparation === undefined ? [] : [{ what: "Preparing the method, once", ...work.preparation }]),
    ...(work === undefined
      ? []
      : [
          {
            what: `Unlearning${work.method === undefined ? "" : ` by ${work.method}`}`,
            ...(work.seconds === undefined ? {} : { seconds: work.seconds }),
            ...(work.gradientEvaluations === undefined
              ? {}
              : { gradientEvaluations: work.gradientEvaluations }),
          },
        ]),
    { what: "Retraining one reference", gradientEvaluations: epochs * retained },
  ];
}

/** What else the forgotten samples went into, with the files beside the two models. */
export function leftoversOf(
  directories: readonly string[],
  original: OpenRun,
  unlearned: OpenRun,
  retain: Uint32Array,
): readonly Leftover[] {
  const { run, parts, dataset, architecture } = unlearned;
  return findLeftovers({
    architecture,
    original: original.weights,
    unlearned: unlearned.weights,
    train: parts.train,
    retain,
    normaliser: run.normaliser,
    tokenizer: dataset.tokenizer,
    averaging: run.settings.averaging,
    files: directories.flatMap((directory) => readdirSync(directory)),
  });
}
