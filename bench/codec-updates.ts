// Histories of exact updates for `lethe bench codec --history`: several kinds of network, data and client optimizer.
//
//   node bench/codec-updates.ts [directory] [names…]        out/codec-updates and all of them when left out
//
// Then: lethe bench codec --history out/codec-updates/*.history
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chooseModel } from "../src/cli/model-argument.ts";
import { loadDataset } from "../src/data/index.ts";
import { localTrainingSchema, trainLocally } from "../src/federation/local-training.ts";
import { deriveKey, keyFromSeed } from "../src/kernel/key.ts";
import { flatten } from "../src/kernel/parameters.ts";
import { initialWeights, layoutOfArchitecture } from "../src/models/architecture.ts";
import { createHistory } from "../src/storage/sqlite/history-store.ts";
import { createTrainer } from "../src/training/trainer.ts";

interface Cell {
  readonly data: string;
  readonly model: string;
  readonly clients: number;
  readonly samplesPerClient: number;
  readonly rounds: number;
  /** Clients hold samples of two classes each instead of all. */
  readonly isSorted?: boolean;
  readonly local: unknown;
}

const root = join(import.meta.dirname, "..");
const [directory = join(root, "out/codec-updates"), ...names] = process.argv.slice(2);
mkdirSync(directory, { recursive: true });

/** What the language model reads: this project's own pages. */
const TEXT = join(directory, "pages.txt");
const sgd = { epochs: 1, batchSize: 50, optimizer: { id: "sgd" } };
const CELLS: Readonly<Record<string, Cell>> = {
  "mlp-mnist-sgd": {
    data: "mnist",
    model: "mlp:128",
    clients: 5,
    samplesPerClient: 600,
    rounds: 20,
    local: { ...sgd, epochs: 2, learningRate: 0.1 },
  },
  "cnn-fashion-momentum": {
    data: "fashion-mnist",
    model: "cnn",
    clients: 5,
    samplesPerClient: 600,
    rounds: 12,
    isSorted: true,
    local: { ...sgd, learningRate: 0.02, optimizer: { id: "sgd", momentum: 0.9 } },
  },
  "cnn-mnist-adam": {
    data: "mnist",
    model: "cnn",
    clients: 5,
    samplesPerClient: 600,
    rounds: 12,
    local: { ...sgd, learningRate: 0.001, optimizer: { id: "adam" } },
  },
  "resnet20-fashion-sgd": {
    data: "fashion-mnist",
    model: "resnet20",
    clients: 2,
    samplesPerClient: 320,
    rounds: 6,
    local: { ...sgd, batchSize: 32, learningRate: 0.05 },
  },
  "gpt-pages-adamw": {
    data: `text:${TEXT}?documents=paragraphs&tokenizer=byte&length=64`,
    model: "gpt:width=96,depth=2",
    clients: 3,
    samplesPerClient: 320,
    rounds: 8,
    local: { ...sgd, batchSize: 16, learningRate: 0.002, optimizer: { id: "adamw" } },
  },
};

for (const [name, cell] of Object.entries(CELLS)) {
  const path = join(directory, `${name}.history`);
  if ((names.length > 0 && !names.includes(name)) || existsSync(path)) continue;
  if (cell.data.startsWith("text:")) writeFileSync(TEXT, pages());
  // Under its name only once it is whole.
  const unfinished = `${path}.unfinished`;
  for (const rest of ["", "-writer", "-wal", "-shm"]) rmSync(unfinished + rest, { force: true });
  const started = performance.now();
  await record(unfinished, cell);
  renameSync(unfinished, path);
  console.log(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

/** Federated averaging without anything else. */
async function record(path: string, cell: Cell): Promise<void> {
  const key = keyFromSeed(1);
  const dataset = await loadDataset(cell.data);
  const architecture = chooseModel(cell.model, dataset);
  const layout = layoutOfArchitecture(architecture);
  const local = localTrainingSchema.parse(cell.local);
  await using trainer = await createTrainer(architecture, local.optimizer, { threads: 1 });
  let weights = flatten(layout, initialWeights(architecture, deriveKey(key, "initial")));
  const history = await createHistory(path, {
    layout,
    codec: { quantiser: "none" },
    key,
    facts: { data: cell.data.split(":")[0] as string, model: cell.model },
    initialWeights: weights,
  });
  const clients = Array.from({ length: cell.clients }, (_, client) =>
    dataset.train.subset(positionsOf(client, cell, dataset.train.labels)),
  );
  for (let round = 0; round < cell.rounds; round++) {
    const next = weights.slice();
    const participants: { client: string; weight: number; update: Float32Array }[] = [];
    for (const [at, samples] of clients.entries()) {
      const order = { key, client: String(at), round };
      const { update } = await trainLocally(trainer, layout, weights, samples, local, order);
      for (let index = 0; index < next.length; index++) {
        next[index] = (next[index] as number) + (update[index] as number) / cell.clients;
      }
      participants.push({ client: String(at), weight: 1, update });
    }
    weights = next;
    await history.acceptRound({ round, participants, weights });
  }
  await history.close();
}

/** A client's samples: the next ones, or the next ones of its two classes. */
function positionsOf(client: number, cell: Cell, labels: Int32Array): readonly number[] {
  const wanted: number[] = [];
  let seen = 0;
  for (let at = 0; at < labels.length && wanted.length < cell.samplesPerClient; at++) {
    if (cell.isSorted === true && Math.floor((labels[at] as number) / 2) !== client) continue;
    // Sorted clients share no class; the others take turns.
    if (cell.isSorted === true || seen++ % cell.clients === client) wanted.push(at);
  }
  return wanted;
}

function pages(): string {
  const folders = ["docs", "docs/decisions"].map((folder) => join(root, folder));
  const files = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith(".md"))
      .sort()
      .map((file) => join(folder, file)),
  );
  return files.map((file) => readFileSync(file, "utf8")).join("\n\n");
}
