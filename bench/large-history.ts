// A history of a hundred clients over a hundred rounds of a million parameters: how fast it takes updates in, what it stores, and
// how much memory that needs. Merges its figures into bench/results/large-history.json, or the file that is named.
//
//   node bench/large-history.ts [--rounds 100] [--clients 100] [--codec z:0.3] [--workers 2] [--out FILE] [--name full]
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseCodec } from "../src/cli/codec-argument.ts";
import { describeMachine } from "../src/cli/machine.ts";
import { packageVersions } from "../src/cli/package-versions.ts";
import { deriveKey, keyFromSeed, randomStream } from "../src/kernel/key.ts";
import { layoutOf } from "../src/kernel/layout.ts";
import { writeFileAtomically } from "../src/storage/atomic-file.ts";
import { createHistory } from "../src/storage/sqlite/history-store.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "100" },
    clients: { type: "string", default: "100" },
    codec: { type: "string", default: "z:0.3" },
    workers: { type: "string", default: "2" },
    name: { type: "string", default: "full" },
    out: { type: "string", default: join(import.meta.dirname, "results/large-history.json") },
  },
});
const [rounds, clients, workers] = [values.rounds, values.clients, values.workers].map(Number) as [
  number,
  number,
  number,
];
/** As two dense layers of a perceptron and its output. */
const layout = layoutOf([
  { name: "hidden1", shape: [784, 720], role: "parameter" },
  { name: "bias1", shape: [720], role: "parameter" },
  { name: "hidden2", shape: [720, 590], role: "parameter" },
  { name: "bias2", shape: [590], role: "parameter" },
  { name: "output", shape: [590, 10], role: "parameter" },
]);
/** Updates that all others are mixtures of: making 40 GB of normal numbers would take longer than storing them. */
const PATTERNS = 12;
/** Singular directions that hold most of a layer's energy, and the share of the rest. */
const RANK = 8;
const NOISE = 0.35;

const patterns = Array.from({ length: PATTERNS }, (_, pattern) => patternOf(pattern));
const directory = mkdtempSync(join(tmpdir(), "lethe-large-"));
const path = join(directory, "run.history");
const baseline = process.memoryUsage().rss;
let peak = baseline;
const watch = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage().rss);
}, 20);
const history = await createHistory(
  path,
  {
    layout,
    codec: parseCodec(values.codec),
    key: keyFromSeed(1),
    facts: null,
    initialWeights: new Float32Array(layout.length),
  },
  { encodingWorkers: workers },
);
const update = new Float32Array(layout.length);
const weights = new Float32Array(layout.length);
const names = Array.from({ length: clients }, (_, client) => `client-${client}`);
let [mixingMs, firstRoundMs] = [0, 0];
const cpu = process.cpuUsage();
const started = performance.now();
for (let round = 0; round < rounds; round++) {
  const writer = await history.beginRound({ round, clients: names });
  for (const client of names) {
    const since = performance.now();
    mix(round, client);
    mixingMs += performance.now() - since;
    await writer.add({ client, weight: 1, update });
  }
  await writer.finish({ weights });
  if (round === 0) firstRoundMs = performance.now() - started;
  peak = Math.max(peak, process.memoryUsage().rss);
  console.error(`round ${round}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(cpu);
const storage = await history.storage();
clearInterval(watch);
const readStarted = performance.now();
let reads = 0;
for await (const { participants } of history.readRounds({ clients: ["client-0"] }))
  reads += participants.length;
const readSeconds = (performance.now() - readStarted) / 1000;
await history.close();
rmSync(directory, { recursive: true });

const rawBytes = 4 * layout.length * clients * rounds;
// The first round searches its steps; the later ones start from the client's last.
const laterBytes = (rawBytes * (rounds - 1)) / rounds;
const result = {
  codec: values.codec,
  workers,
  clients,
  rounds,
  parameters: layout.length,
  updates: `mixtures of ${PATTERNS} patterns, each rank ${RANK} with scales by row and column, and noise`,
  rawBytes,
  storedBytes: storage.bytesOnDisk,
  storedFraction: storage.bytesOnDisk / rawBytes,
  seconds,
  megabytesPerSecond: rawBytes / 1e6 / seconds,
  laterMegabytesPerSecond: laterBytes / 1e6 / (seconds - firstRoundMs / 1000),
  mixingSeconds: mixingMs / 1000,
  cpuSeconds: (user + system) / 1e6,
  cpuMegabytesPerSecondOfACore: rawBytes / 1e6 / ((user + system) / 1e6),
  peakMemoryBytes: peak,
  peakBeyondStartBytes: peak - baseline,
  readMegabytesPerSecond: (4 * layout.length * reads) / 1e6 / readSeconds,
  commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim(),
  machine: describeMachine(packageVersions()),
};
console.log(result);
const known = existsSync(values.out) ? JSON.parse(readFileSync(values.out, "utf8")) : {};
writeFileAtomically(values.out, `${JSON.stringify({ ...known, [values.name]: result }, undefined, 1)}\n`);

function patternOf(pattern: number): Float32Array {
  const stream = randomStream(deriveKey(keyFromSeed(5), "pattern", pattern));
  const values = new Float32Array(layout.length);
  for (const { offset, shape, length } of layout.slots) {
    const rows = shape.length < 2 ? 1 : (shape[0] as number);
    const columns = length / rows;
    const scales = (count: number) =>
      Float64Array.from({ length: count }, () => Math.exp(0.8 * stream.normal()));
    const [rowScales, columnScales] = [scales(rows), scales(columns)];
    const normals = (count: number) => Float64Array.from({ length: count }, () => stream.normal());
    const factors = Array.from(
      { length: RANK },
      (_, r) => [normals(rows), normals(columns), 1 / (1 + r)] as const,
    );
    for (let index = 0; index < length; index++) {
      const [row, column] = [Math.floor(index / columns), index % columns];
      let value = NOISE * stream.normal();
      for (const [left, right, size] of factors)
        value += size * (left[row] as number) * (right[column] as number);
      // A fifth of the first layer's inputs are dead, as the border of images is.
      if (offset === 0 && row % 5 === 0) value = 0;
      values[offset + index] = 0.002 * value * (rowScales[row] as number) * (columnScales[column] as number);
    }
  }
  return values;
}

/** A pattern of the client's own, which stays, and another that changes: successive updates have a cosine of about .7. */
function mix(round: number, client: string): void {
  const own = randomStream(deriveKey(keyFromSeed(6), client)).below(PATTERNS);
  const stream = randomStream(deriveKey(keyFromSeed(6), round, client));
  const [a, b] = [patterns[own], patterns[stream.below(PATTERNS)]] as [Float32Array, Float32Array];
  const size = (1 + 0.1 * stream.normal()) / (1 + round / 30);
  for (let index = 0; index < update.length; index++)
    update[index] = size * ((a[index] as number) + 0.65 * (b[index] as number));
}
