// Feeds mutated files to the readers of data and reports what came of them:
//   node bench/fuzz-data.ts [count] [seed]
// Anything but samples or an error of kind `data` ends the run with the input that caused it.
import { gzipSync } from "node:zlib";
import { parseCsvTable, tableOfCsv } from "../src/data/csv-table.ts";
import type { Dataset, Samples } from "../src/data/dataset.ts";
import { digitsDataset } from "../src/data/digits.ts";
import { unpack } from "../src/data/file.ts";
import { idxDataset } from "../src/data/idx-dataset.ts";
import { parsePackedIdx } from "../src/data/sources/idx.ts";
import { tableDataset } from "../src/data/table-dataset.ts";
import { isLetheError } from "../src/kernel/errors.ts";
import { keyFromSeed, type RandomStream, randomStream } from "../src/kernel/key.ts";

const DEFAULT_COUNT = 120_000;
/** Readers may take a fixed amount (the unpacking limit) and this multiple of the file. */
const MAX_BUFFER_BYTES = 80 * 2 ** 20;
/** No file of a kilobyte is worth more than this. */
const MAX_MS = 2_000;
/** What means something to a reader of text. */
const telling = [
  ...'0,"\n\r.-?\u0000\t',
  "NaN",
  "-inf",
  "1e39",
  "1e-320",
  "0.5",
  "Ulm",
  "\u00ff",
  "\n1,Ulm,1,bo",
].map((word) => Buffer.from(word));

const description = { id: "fuzz", title: "Fuzz", licence: "none" };
const key = keyFromSeed("fuzz split");

interface Target {
  readonly name: string;
  readonly seed: Uint8Array;
  read(bytes: Uint8Array): Promise<Dataset>;
}

const images = Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 3, ...new Array(36).keys()]);
const labels = Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 2, 1]);
const table = `x,town,y,who\r\n${'1,Ulm,0,ann\n-2.5e3,"Bonn, ""W""",1,bo\n\n3,,0,cy\n'.repeat(5)}`;
const digits = `${Array.from({ length: 12 }, (_, row) => `${new Array(64).fill(row).join()},${row % 3}`).join("\n")}\n`;

const targets: readonly Target[] = [
  {
    name: "idx images",
    seed: images,
    read: async (bytes) => {
      const part = await idxPart(bytes, labels);
      return idxDataset({ ...description, train: part, test: part });
    },
  },
  {
    name: "idx labels",
    seed: labels,
    read: async (bytes) => {
      const part = await idxPart(images, bytes);
      return idxDataset({ ...description, train: part, test: part });
    },
  },
  {
    name: "csv",
    seed: Buffer.from(table),
    read: async (bytes) => {
      const cells = parseCsvTable(await unpack(bytes, "csv"), "csv", { separator: ",", hasHeader: true });
      const roles = { label: "y", subject: "who", groups: ["town"], drop: [], testFraction: 0.3 };
      return tableDataset(tableOfCsv(cells), roles, description, key);
    },
  },
  {
    name: "digits",
    seed: Buffer.from(digits),
    read: async (bytes) => {
      const cells = parseCsvTable(await unpack(bytes, "digits"), "digits", {
        separator: ",",
        hasHeader: false,
      });
      return digitsDataset(cells, description, key);
    },
  },
];

const [count = DEFAULT_COUNT, seed = 1] = process.argv.slice(2).map(Number);
const stream = randomStream(keyFromSeed(seed));
const outcomes = new Map<string, number>();
let slowestMs = 0;
let largestBuffers = 0;
const started = performance.now();
for (let run = 0; run < count; run++) {
  const target = targets[run % targets.length] as Target;
  const input = inputFrom(target.seed, stream);
  const before = process.memoryUsage().arrayBuffers;
  const begun = performance.now();
  const outcome = await outcomeOf(target, input);
  const ms = performance.now() - begun;
  const buffers = process.memoryUsage().arrayBuffers - before;
  if (ms > MAX_MS || buffers > MAX_BUFFER_BYTES)
    report(target, input, new Error(`${ms} ms, ${buffers} bytes`));
  slowestMs = Math.max(slowestMs, ms);
  largestBuffers = Math.max(largestBuffers, buffers);
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}
for (const [outcome, times] of [...outcomes].sort()) console.log(`${String(times).padStart(8)}  ${outcome}`);
console.log(
  `${count} inputs in ${((performance.now() - started) / 1000).toFixed(1)} s, slowest ${slowestMs.toFixed(1)} ms, ` +
    `largest growth of buffers ${(largestBuffers / 2 ** 20).toFixed(1)} MiB, none failed otherwise`,
);

async function idxPart(imageBytes: Uint8Array, labelBytes: Uint8Array) {
  return {
    images: await parsePackedIdx(imageBytes, "images"),
    labels: await parsePackedIdx(labelBytes, "labels"),
    imagesFile: "images",
    labelsFile: "labels",
  };
}

async function outcomeOf(target: Target, input: Uint8Array): Promise<string> {
  try {
    const dataset = await target.read(input);
    requireSound(dataset.train);
    requireSound(dataset.test);
    return `${target.name}: samples`;
  } catch (error) {
    if (isLetheError(error, "data")) return `${target.name}: ${error.code}`;
    return report(target, input, error);
  }
}

/** Finite features, labels of a class. */
function requireSound(samples: Samples): void {
  const row = new Float32Array(samples.featureLength);
  for (let position = 0; position < samples.count; position++) {
    samples.gather([position], row);
    const label = samples.labels[position] as number;
    if (!row.every(Number.isFinite)) throw new Error("features that are not finite");
    if (label < 0 || label >= samples.classCount) throw new Error("a label without a class");
  }
}

function report(target: Target, input: Uint8Array, error: unknown): never {
  console.error(`${target.name} failed on ${Buffer.from(input).toString("base64")}`);
  throw error;
}

/** Mostly a damaged file, plain or packed; one in eight times an intact file whose packed bytes are damaged. */
function inputFrom(file: Uint8Array, random: RandomStream): Uint8Array {
  const kind = random.below(8);
  if (kind === 0) return mutate(gzipSync(file), random);
  const damaged = mutate(file, random);
  return kind === 1 ? gzipSync(damaged) : damaged;
}

/** One to four random changes: bytes set, bits flipped, stretches cut, repeated, inserted. */
function mutate(original: Uint8Array, random: RandomStream): Uint8Array {
  let bytes = Uint8Array.from(original);
  for (let change = random.below(4); change >= 0; change--) bytes = changed(bytes, random);
  return bytes;
}

function changed(bytes: Uint8Array<ArrayBuffer>, random: RandomStream): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) return Uint8Array.of(random.below(256));
  const at = random.below(bytes.length);
  const length = random.below(Math.min(64, bytes.length - at) + 1);
  const insert = (middle: Uint8Array) =>
    Uint8Array.from([...bytes.subarray(0, at), ...middle, ...bytes.subarray(at)]);
  switch (random.below(6)) {
    case 0:
      bytes[at] = random.below(256);
      return bytes;
    case 1:
      bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
      return bytes;
    case 2:
      return bytes.slice(0, at);
    case 3:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
    case 4:
      return insert(bytes.slice(at, at + length));
    default:
      return insert(telling[random.below(telling.length)] as Uint8Array);
  }
}
