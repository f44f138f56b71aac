// What the rule `kronecker-response` needs of a history in constant memory: a bank of sums Σ_t γ_m^(T−1−t) d_t with fixed
// γ_m in place of the leaver's rounds, and Kronecker factors of other clients' rounds in place of the kept clients' own.
//
// Adds its rows to bench/results/response-bank.json, or to the file that is named.
//
//   lethe simulate --data fashion-mnist --attack backdoor --boost 10 --codec none --out out/bank
//   node bench/response-bank.ts out/bank [RESULTS.json]
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describeMachine } from "../src/cli/machine.ts";
import { chooseModel } from "../src/cli/model-argument.ts";
import { packageVersions } from "../src/cli/package-versions.ts";
import { loadDataset } from "../src/data/index.ts";
import { simulationSchema } from "../src/federation/simulation/config.ts";
import { createMeasurer } from "../src/federation/simulation/measurements.ts";
import { createPopulation } from "../src/federation/simulation/population.ts";
import type { RequestWith } from "../src/federation/unlearning/contract.ts";
import { readDeviations } from "../src/federation/unlearning/deviations.ts";
import {
  blockRecursion,
  type ProjectedDeviation,
  projectDeviation,
} from "../src/federation/unlearning/kronecker/block-recursion.ts";
import { decayOf } from "../src/federation/unlearning/kronecker/decay.ts";
import { findBases } from "../src/federation/unlearning/kronecker/find-bases.ts";
import {
  type BasedBlock,
  type Response,
  responseSums,
} from "../src/federation/unlearning/kronecker/response.ts";
import { responseScale } from "../src/federation/unlearning/kronecker/response-scale.ts";
import { modelRecursion } from "../src/federation/unlearning/recursion.ts";
import { storedHistory } from "../src/federation/unlearning/stored-history.ts";
import { packHalfBlocks, unpackHalfBlocks } from "../src/history/half-blocks.ts";
import { clientId } from "../src/kernel/client-id.ts";
import { consume } from "../src/kernel/events.ts";
import { deriveKey, keyFromSeed } from "../src/kernel/key.ts";
import { BATCH_NORM_MOMENTUM } from "../src/models/batch-norm.ts";
import { layersOf } from "../src/models/derive-layers.ts";
import { ortMatrices } from "../src/runtime/linear-algebra/ort-engine.ts";
import { writeFileAtomically } from "../src/storage/atomic-file.ts";
import { openHistory } from "../src/storage/sqlite/history-store.ts";
import { createPredictor } from "../src/training/predictor.ts";

const PLAIN = { momentum: 0, rate: 1 };
const THETA = 3;
/** Banks of so many sums, and whether each sum is rounded to half precision after every round. */
const BANKS = [
  [2, true],
  [4, true],
  [6, true],
  [8, true],
  [8, false],
] as const;

const directory = process.argv[2] ?? "out/bank";
const resultsPath = process.argv[3] ?? join(import.meta.dirname, "results/response-bank.json");
const document = JSON.parse(readFileSync(join(directory, "result.json"), "utf8"));
const config = simulationSchema.parse(document.config);
const runtime = { threads: 1, spinning: false };
const dataset = await loadDataset(config.data);
const architecture = chooseModel(config.model, dataset);
const key = keyFromSeed(config.seed);
const population = createPopulation(config, dataset, deriveKey(key, "population"));
const store = await openHistory(join(directory, "history.db"), { readOnly: true });
const { layout, initialWeights } = store.header;
const finalWeights = (await store.resume())?.weights ?? initialWeights;
await using predictor = await createPredictor(architecture, runtime);
await using matrices = ortMatrices(runtime);
await using history = await storedHistory(store, { workers: 0 });
const measurer = createMeasurer(predictor, layout, dataset.test, population, config.curveSamples);
const request: RequestWith<"history"> = {
  layout,
  layers: layersOf(architecture),
  finalWeights,
  initialWeights,
  training: {
    optimizer: "sgd",
    learningRate: config.local.learningRate,
    batchSize: config.local.batchSize,
    localEpochs: config.local.epochs,
    localSteps: document.gradientSteps.train / document.clientRounds.train,
    clientMomentum: 0,
    server: PLAIN,
    batchNormMomentum: BATCH_NORM_MOMENTUM,
    clients: config.clients,
    recordedFraction: 1,
  },
  leavers: [...population.leavers].map(clientId),
  help: "none",
  matrices,
  key: deriveKey(key, "unlearning"),
  history,
};
const scale = responseScale(request.training, THETA);

const deviations: Float32Array[] = [];
for await (const { deviation } of readDeviations(request, "hold").pass()) deviations.push(deviation.slice());

const rows: { title: string; accuracy: number; attackSuccess: number; gap?: number }[] = [];
await report("trained", finalWeights, undefined);
const own = await measureResponse(request, () => true);
const reference = await transported(own);
await report("kronecker-response", minus(reference), reference);
for (const [size, isRounded] of BANKS) {
  const error = await fromBank(own, size, isRounded);
  await report(`bank of ${size}${isRounded ? ", half precision" : ""}`, minus(error), error);
}
const last = (rounds: number) => (round: number) => round >= history.rounds - rounds;
for (const rounds of [5, 10]) {
  const error = await transported(await measureResponse(request, last(rounds)));
  await report(`factors and Λ of the last ${rounds} rounds`, minus(error), error);
}
const withLeaver = await transported(await measureResponse({ ...request, leavers: [] }, () => true));
await report("factors and Λ with the leaver", minus(withLeaver), withLeaver);
for (const size of [4, 6]) {
  const both = await fromBank(await measureResponse(request, last(10)), size, true);
  await report(`bank of ${size}, factors of the last 10 rounds`, minus(both), both);
}
await store.close();
const { accuracy, attackSuccess } = document;
const run = {
  data: config.data,
  model: config.model,
  optimizer: config.local.optimizer.id,
  seed: config.seed,
  rounds: config.rounds,
  clients: config.clients,
  theta: THETA,
  retrained: { accuracy: accuracy.retrained, attackSuccess: attackSuccess.retrained },
  rows,
  commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim(),
  machine: describeMachine(packageVersions()),
};
const earlier = existsSync(resultsPath) ? JSON.parse(readFileSync(resultsPath, "utf8")) : [];
writeFileAtomically(resultsPath, `${JSON.stringify([...earlier, run], undefined, 1)}\n`);

interface Measured {
  readonly blocks: readonly BasedBlock[];
  readonly decays: readonly Response[];
}

async function measureResponse(
  from: RequestWith<"history">,
  wants: (round: number) => boolean,
): Promise<Measured> {
  const source = readDeviations(from, "hold");
  const chosen = {
    ...source,
    pass: (more?: (round: number) => boolean) =>
      source.pass((round) => wants(round) && (more?.(round) ?? true)),
  };
  const { blocks } = await consume(findBases(from, { rank: 256, factorStride: 1 }, chosen, undefined));
  const sums = responseSums(blocks, layout, matrices, undefined);
  for await (const round of chosen.pass()) await sums.add(round);
  return { blocks, decays: (await sums.finish()).map((response) => decayOf(response, scale)) };
}

/** The rule's own recursion over all rounds. */
async function transported({ blocks, decays }: Measured): Promise<Float64Array> {
  return assembled(blocks, async (block, b) => {
    const run = blockRecursion(block, decays[b] as Response, PLAIN);
    for (const deviation of deviations) {
      run.advance(await projectDeviation(block, gathered(block, deviation), matrices));
    }
    return run.error(matrices);
  });
}

/** The same from sums alone: γ^age as a combination of the bank's γ_m^age, least squares over the ages there are. */
async function fromBank(
  { blocks, decays }: Measured,
  size: number,
  isRounded: boolean,
): Promise<Float64Array> {
  const nodes = bankOf(size, deviations.length);
  const sums = nodes.map((node) => bankSum(node, isRounded));
  const weightsOf = combiner(nodes, deviations.length);
  return assembled(blocks, async (block, b) => {
    const decay = decays[b] as Response;
    const parts = await Promise.all(
      sums.map((sum) => projectDeviation(block, gathered(block, sum), matrices)),
    );
    const combine = (part: keyof ProjectedDeviation, gamma: (at: number) => number) => {
      const [first] = parts;
      return first?.[part]?.map((_, at) =>
        weightsOf(gamma(at)).reduce((total, weight, m) => total + weight * (parts[m]?.[part]?.[at] ?? 0), 0),
      );
    };
    const l = decay.columns.length;
    const run = blockRecursion(block, decay, PLAIN);
    run.advance({
      core: combine("core", (at) => decay.core[at] as number) ?? new Float32Array(),
      rows: combine("rows", (at) => decay.rows[Math.floor(at / block.block.columns)] as number),
      columns: combine("columns", (at) => decay.columns[at % l] as number),
      outside: combine("outside", () => decay.outside),
    });
    return run.error(matrices);
  });
}

/** γ = 1, 0 and between them memories 1/(1 − γ) in equal ratios up to twice the run. */
function bankOf(size: number, rounds: number): readonly number[] {
  const inner = Array.from({ length: size - 2 }, (_, m) => 1 - 1 / (2 * rounds) ** ((m + 1) / (size - 1)));
  return [0, ...inner, 1];
}

function bankSum(node: number, isRounded: boolean): Float32Array {
  const recursion = modelRecursion(layout, node, PLAIN);
  for (const deviation of deviations) {
    recursion.advance(deviation);
    if (!isRounded) continue;
    const rounded = new Float32Array(layout.length);
    unpackHalfBlocks(packHalfBlocks(Float32Array.from(recursion.error)), rounded);
    recursion.error.set(rounded);
  }
  return Float32Array.from(recursion.error);
}

/** Weights by normal equations with a small ridge, kept for γ on a grid of a thousandth. */
function combiner(nodes: readonly number[], rounds: number): (gamma: number) => readonly number[] {
  const known = new Map<number, readonly number[]>();
  const power = (gamma: number, age: number) => (age === 0 ? 1 : gamma ** age);
  const inner = (a: number, b: number) => {
    let sum = 0;
    for (let age = 0; age < rounds; age++) sum += power(a, age) * power(b, age);
    return sum;
  };
  return (exact) => {
    const gamma = Math.round(1000 * exact) / 1000;
    const found = known.get(gamma);
    if (found) return found;
    const system = nodes.map((a, i) => [
      ...nodes.map((b, j) => inner(a, b) + (i === j ? 1e-6 : 0)),
      inner(a, gamma),
    ]);
    const weights = solve(system);
    known.set(gamma, weights);
    return weights;
  };
}

/** Gauss and Jordan with pivots. */
function solve(rows: readonly number[][]): readonly number[] {
  for (let c = 0; c < rows.length; c++) {
    const at = (r: number, column = c) => rows[r]?.[column] as number;
    let pivot = c;
    for (let r = c + 1; r < rows.length; r++) if (Math.abs(at(r)) > Math.abs(at(pivot))) pivot = r;
    const [upper, lower] = [rows[c] as number[], rows[pivot] as number[]];
    (rows as number[][])[c] = lower;
    (rows as number[][])[pivot] = upper;
    for (let r = 0; r < rows.length; r++) {
      if (r === c) continue;
      const factor = at(r) / at(c);
      for (let k = c; k <= rows.length; k++) (rows[r] as number[])[k] = at(r, k) - factor * at(c, k);
    }
  }
  return rows.map((row, i) => (row.at(-1) as number) / (row[i] as number));
}

function gathered({ block }: BasedBlock, vector: Float32Array): Float32Array {
  return Float32Array.from(block.index, (i) => vector[i] as number);
}

async function assembled(
  blocks: readonly BasedBlock[],
  errorOf: (block: BasedBlock, b: number) => Promise<ArrayLike<number>>,
): Promise<Float64Array> {
  // Dead elements do not decay.
  const error = modelRecursion(layout, 1, PLAIN);
  for (const deviation of deviations) error.advance(deviation);
  for (const [b, block] of blocks.entries()) {
    const part = await errorOf(block, b);
    for (const [at, i] of block.block.index.entries()) error.error[i] = part[at] as number;
  }
  return error.error;
}

function minus(error: Float64Array): Float32Array {
  return finalWeights.map((weight, i) => weight - (error[i] as number));
}

async function report(title: string, weights: Float32Array, error: Float64Array | undefined): Promise<void> {
  const { accuracy, attackSuccess } = await measurer.measure(weights);
  let gap = 0;
  let size = 0;
  for (const [i, value] of error?.entries() ?? []) {
    gap += (value - (reference[i] as number)) ** 2;
    size += (reference[i] as number) ** 2;
  }
  const relative = error === undefined ? "" : ` ${(Math.sqrt(gap / size) * 100).toFixed(2)} % of ‖e‖`;
  rows.push({
    title,
    accuracy,
    attackSuccess: attackSuccess ?? 0,
    ...(error === undefined ? {} : { gap: Math.sqrt(gap / size) }),
  });
  console.log(`${title.padEnd(42)} ${accuracy.toFixed(4)} / ${(attackSuccess ?? 0).toFixed(4)}${relative}`);
}
