// The acceptance experiment of federated unlearning: every cell with every seed, each unlearned by several rules from one
// history and compared with a retrained model. One JSON file a run, so that a killed experiment goes on where it was;
// `bench/acceptance-table.ts` makes the table and checks the limits.
//
//   node bench/acceptance.ts [--seeds 1,2,3] [--cells id,id] [--threads 1]
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine } from "../src/cli/machine.ts";
import { chooseModel } from "../src/cli/model-argument.ts";
import { packageVersions } from "../src/cli/package-versions.ts";
import { openRunHistory } from "../src/cli/run-history.ts";
import { loadDataset } from "../src/data/index.ts";
import { type SimulationInput, simulationSchema } from "../src/federation/simulation/config.ts";
import {
  type SimulatedModel,
  type SimulationOutcome,
  simulate,
} from "../src/federation/simulation/simulate.ts";
import { consume } from "../src/kernel/events.ts";
import { agreement } from "../src/metrics/accuracy.ts";
import { writeFileAtomically } from "../src/storage/atomic-file.ts";
import { type Cell, cells } from "./acceptance-cells.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1,2,3" },
    cells: { type: "string" },
    threads: { type: "string", default: "1" },
  },
});
const folder = join(import.meta.dirname, "results/acceptance");
const wanted = values.cells?.split(",");
const chosen = cells.filter(({ id }) => wanted === undefined || wanted.includes(id));
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();

for (const seed of values.seeds.split(",").map(Number)) {
  for (const cell of chosen) {
    const path = join(folder, `${cell.id}.seed${seed}.json`);
    if (existsSync(path)) continue;
    const started = performance.now();
    const result = await runCell(cell, seed);
    writeFileAtomically(path, `${JSON.stringify(result, undefined, 1)}\n`);
    const { retrained, theta3 } = result.models;
    console.log(
      `${cell.id} seed ${seed}: retrained ${figures(retrained)} unlearned ${figures(theta3)} ${((performance.now() - started) / 1000).toFixed(0)} s`,
    );
  }
}

async function runCell(cell: Cell, seed: number) {
  const place = mkdtempSync(join(tmpdir(), "lethe-acceptance-"));
  try {
    const first = await run(place, cell.config, seed, {}, true);
    const reference = first.retrained as SimulatedModel;
    const repaired = await run(place, cell.config, seed, { unlearn: { help: "repair-round" } }, false);
    const scalar = async (alpha: number): Promise<SimulationOutcome> =>
      run(place, cell.config, seed, { unlearn: { method: "medu", settings: { alpha } } }, false);
    const controls = cell.scalarControls ? { medu0: await scalar(0), "medu-0.15": await scalar(-0.15) } : {};
    const kappa =
      cell.config.codec?.storedClientFraction === undefined
        ? {}
        : {
            skip: await run(
              place,
              cell.config,
              seed,
              { unlearn: { settings: { estimator: "skip" } } },
              false,
            ),
          };
    const others = Object.entries({ theta1repair: repaired, ...controls, ...kappa });
    const describe = (model: SimulatedModel) => ({
      accuracy: model.measurement.accuracy,
      attackSuccess: model.measurement.attackSuccess,
      removedClientAccuracy: model.measurement.removedClientAccuracy,
      membershipAuc: model.measurement.membership.auc,
      agreement: agreement(model.measurement.predicted, reference.measurement.predicted),
      seconds: model.seconds,
      clientRounds: model.clientRounds,
    });
    return {
      cell: cell.id,
      seed,
      models: {
        trained: describe(first.trained),
        retrained: describe(reference),
        fineTuned: describe(first.fineTuned as SimulatedModel),
        theta3: describe(first.unlearned),
        ...Object.fromEntries(others.map(([name, outcome]) => [name, describe(outcome.unlearned)])),
      },
      parameterDistance: first.parameterDistance,
      storage: {
        bytesOnDisk: first.storage.bytesOnDisk,
        rawBytes: first.storage.rawBytes,
        bitsPerParameter: first.storage.bitsPerParameter,
      },
      codecCurve: first.codecCurve.map(({ weights: _, ...point }) => point),
      diagnosis: first.diagnosis,
      verdict: first.verdict?.verdict,
      digests: { trained: first.trained.digest, theta3: first.unlearned.digest, retrained: reference.digest },
      commit,
      machine: describeMachine(packageVersions()),
    };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** One simulation on the cell's history: the first call trains, later ones find it trained. */
async function run(
  place: string,
  config: SimulationInput,
  seed: number,
  over: SimulationInput,
  isFirst: boolean,
): Promise<SimulationOutcome> {
  const settings = simulationSchema.parse({
    ...config,
    ...over,
    unlearn: { ...config.unlearn, ...over.unlearn },
    references: { retrain: isFirst, retrainAgain: false },
    // The float32 history beside the cell's own: what the codec costs.
    codecCurve: isFirst ? [{ quantiser: "none" }] : [],
    seed,
  });
  const dataset = await loadDataset(settings.data);
  return consume(
    simulate(settings, {
      dataset,
      architecture: chooseModel(settings.model, dataset),
      runtime: { threads: Number(values.threads) },
      openHistory: (name, header) => openRunHistory(join(place, `${name}.db`), header),
    }),
  );
}

function figures(model: { accuracy: number; attackSuccess: number | undefined }): string {
  return `${model.accuracy.toFixed(3)}/${model.attackSuccess?.toFixed(3) ?? "–"}`;
}
