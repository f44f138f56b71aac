import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { drawAuditSets } from "../../audit/audit-sets.ts";
import { trainModels } from "../../audit/farm/model-farm.ts";
import { shareSamples } from "../../audit/farm/shared-samples.ts";
import type { TrainingJob } from "../../audit/farm/training-job.ts";
import { attackByManyModels, LEAST_MODELS } from "../../audit/many-models.ts";
import { loadDataset } from "../../data/index.ts";
import { divideDataset } from "../../data/parts.ts";
import { LetheError } from "../../kernel/errors.ts";
import type { LetheEvent } from "../../kernel/events.ts";
import { writeFileAtomically } from "../../storage/atomic-file.ts";
import { recipeSchema } from "../../training/recipe.ts";
import { type CommonOptions, defineAction, parseCount } from "../context.ts";
import { DATA_HELP } from "../data-argument.ts";
import { describeMachine } from "../machine.ts";
import { modelSizesOf } from "../model-argument.ts";
import { packageVersions } from "../package-versions.ts";
import { centralScope, openRequest } from "../training-run.ts";

interface AuditBenchOptions extends CommonOptions {
  readonly data: string;
  readonly samples: number;
  readonly model: string;
  readonly epochs: number;
  readonly forget: string;
  readonly method: string;
  readonly models: number;
  readonly scaling: number;
}

/** `lethe bench audit`: how long an attack by many models takes, and what a second core is worth. */
export function benchAuditCommand(): Command {
  const command = new Command("audit")
    .description(
      "Time U-LiRA and KLoM with many models (half trained and unlearned, half retrained) from an empty store, and how training scales from one worker to one a core.",
    )
    .option("--data <dataset>", DATA_HELP, "mnist")
    .option("--samples <count>", "train on about this many samples", parseCount, 10_000)
    .option("--model <model>", "a ready model", "mlp")
    .option("--epochs <count>", "passes over the samples", parseCount, 10)
    .option("--forget <request>", "as of `lethe unlearn`", "random:0.1")
    .option("--method <id>", "what unlearns", "neg-grad-plus")
    .option("--models <count>", "models a side", parseCount, 64)
    .option("--scaling <count>", "models trained for each number of workers", parseCount, 32);
  return defineAction<AuditBenchOptions>(command, "out/bench", async (options, context) => {
    if (options.models < LEAST_MODELS) {
      throw new LetheError(
        "usage",
        "USAGE_MODELS",
        `Expected at least ${LEAST_MODELS} models a side, got ${options.models}.`,
      );
    }
    const dataset = await loadDataset(options.data);
    const parts = divideDataset(dataset, { samples: options.samples, validation: 0.1 });
    const request = openRequest({ run: { requests: [] }, parts }, options.forget, context.seed);
    const data = { ...parts, forget: request.forget, retain: request.retain };
    const model = { kind: "ready", text: options.model, sizes: modelSizesOf(dataset) } as const;
    const recipe = recipeSchema.parse({ epochs: options.epochs });
    const cores = availableParallelism();
    const store = mkdtempSync(join(tmpdir(), "lethe-bench-audit-"));
    try {
      const scaling = [];
      const header = { data: shareSamples(parts.train), model, recipe };
      const all = Uint32Array.from(parts.train.labels, (_, position) => position);
      for (const workers of [...new Set([1, cores])]) {
        const jobs = Array.from(
          { length: options.scaling },
          (_, index): TrainingJob => ({ subset: all, seed: `scaling ${index} of ${context.seed}` }),
        );
        const farm = { store: join(store, `workers-${workers}`), workers, signal: context.signal };
        const started = performance.now();
        await context.run(
          `Training ${jobs.length} models with ${workers} workers`,
          trainModels(header, jobs, farm),
        );
        scaling.push({ workers, models: jobs.length, seconds: (performance.now() - started) / 1000 });
      }
      const phases: { readonly name: string; readonly seconds: number }[] = [];
      const started = performance.now();
      let phase: { readonly name: string; readonly from: number } | undefined;
      const turn = (name?: string): void => {
        const now = performance.now();
        if (phase !== undefined) phases.push({ name: phase.name, seconds: (now - phase.from) / 1000 });
        phase = name === undefined ? undefined : { name, from: now };
      };
      const attack = attackByManyModels({
        ...data,
        model,
        recipe,
        sets: drawAuditSets(data),
        unlearn: { method: options.method, settings: {}, scope: centralScope(request.scope) },
        count: options.models,
        seed: context.seed,
        runtime: context.runtime,
        farm: { store: join(store, "attack"), signal: context.signal },
      });
      const figures = await context.run(
        `Attacking with ${options.models} + ${options.models} models`,
        watched(attack, turn),
      );
      turn();
      const seconds = (performance.now() - started) / 1000;
      const [one, most] = [scaling[0], scaling.at(-1)];
      const document = {
        case: { ...pick(options), seed: context.seed, forgotten: request.forget.length },
        results: [{ seconds, phases, figures }],
        scaling,
        speedUp: one && most ? one.seconds / most.seconds : 1,
        machine: describeMachine(packageVersions()),
      };
      writeFileAtomically(join(options.out, "audit.json"), `${JSON.stringify(document, undefined, 2)}\n`);
      return {
        json: document,
        text: [
          ...phases.map(({ name, seconds: part }) => `${part.toFixed(1).padStart(8)} s  ${name}`),
          `${seconds.toFixed(1).padStart(8)} s  in all, with ${options.models} + ${options.models} models`,
          ...scaling.map(
            ({ workers, models, seconds: part }) =>
              `${part.toFixed(1).padStart(8)} s  ${models} models with ${workers} ${workers === 1 ? "worker" : "workers"}`,
          ),
          `speed-up ${document.speedUp.toFixed(2)} from 1 to ${cores} workers`,
          ...figures.map(
            ({ id, set, title, original, unlearned, retrained }) =>
              `${`${id} ${set}`.padEnd(26)} original ${original.toFixed(3)}  unlearned ${unlearned.toFixed(3)}  retrained ${retrained.toFixed(3)}  ${title}`,
          ),
          `written  ${join(options.out, "audit.json")}`,
        ],
      };
    } finally {
      rmSync(store, { recursive: true });
    }
  });
}

/** The operation, with its phases told. */
async function* watched<Outcome>(
  operation: AsyncGenerator<LetheEvent, Outcome, void>,
  onPhase: (name: string) => void,
): AsyncGenerator<LetheEvent, Outcome, void> {
  for (;;) {
    const next = await operation.next();
    if (next.done) return next.value;
    if (next.value.type === "phase") onPhase(next.value.name);
    yield next.value;
  }
}

function pick({ data, samples, model, epochs, forget, method, models }: AuditBenchOptions) {
  return { data, samples, model, epochs, forget, method, models };
}
