import { join } from "node:path";
import { openRunHistory } from "../../src/cli/run-history.ts";
import { type SimulationInput, simulationSchema } from "../../src/federation/simulation/config.ts";
import { type SimulationOutcome, simulate } from "../../src/federation/simulation/simulate.ts";
import { consume, type LetheEvent } from "../../src/kernel/events.ts";
import { createModel } from "../../src/models/index.ts";
import { blobDataset } from "../support/blobs.ts";

/** What a test may want besides its settings. */
export interface TinyOptions {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: LetheEvent) => void;
}

const CLASSES = 4;

/** Pictures of 16×16 in four classes. */
const dataset = blobDataset({
  featureShape: [1, 16, 16],
  classes: CLASSES,
  train: 400,
  test: 200,
  spread: 0.3,
});

/** Settings small enough for a test; what the test says lies over them. */
export function tinyConfig(input: SimulationInput) {
  return simulationSchema.parse({
    model: "mlp:12",
    clients: 5,
    samplesPerClient: 40,
    rounds: 4,
    partition: "iid",
    curveSamples: 100,
    ...input,
    local: { epochs: 1, batchSize: 20, learningRate: 0.1, ...input.local },
    data: "blobs",
  });
}

/** Simulates with SQLite histories in a directory, as a new run or as one that was killed there. */
export async function runTiny(
  directory: string,
  input: SimulationInput,
  { signal, onEvent }: TinyOptions = {},
): Promise<SimulationOutcome> {
  const config = tinyConfig(input);
  return consume(
    simulate(config, {
      dataset,
      architecture: createModel(config.model, { inputShape: dataset.featureShape, classes: CLASSES }),
      runtime: { threads: 1, spinning: false },
      openHistory: (name, header) => openRunHistory(join(directory, `${name}.db`), header),
      ...(signal === undefined ? {} : { signal }),
    }),
    onEvent,
  );
}

/** What two runs must share to be the same run. */
export function digestsOf(outcome: SimulationOutcome): Readonly<Record<string, string>> {
  const { trained, unlearned, retrained, historyDigest, codecCurve, series } = outcome;
  return {
    trained: trained.digest,
    unlearned: unlearned.digest,
    retrained: retrained?.digest ?? "none",
    history: historyDigest,
    curve: codecCurve.map(({ storedBytes, accuracy }) => `${storedBytes}/${accuracy}`).join(),
    series: JSON.stringify(series),
    steps: `${trained.localSteps}/${trained.clientRounds}`,
  };
}
