// Feeds mutated files to the readers of data and reports what came of them:
//   node bench/fuzz-data.ts [count] [seed] [target …]
// Anything but samples or an error of kind `data` ends the run with the input that caused it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import sharp from "sharp";
import { parseCsvTable, tableOfCsv } from "../src/data/csv-table.ts";
import type { Dataset, Samples } from "../src/data/dataset.ts";
import { decodeImage } from "../src/data/decode-image.ts";
import { digitsDataset } from "../src/data/digits.ts";
import { unpack } from "../src/data/file.ts";
import { idxDataset } from "../src/data/idx-dataset.ts";
import { parseJsonTable } from "../src/data/json-table.ts";
import { parseNpy } from "../src/data/npy.ts";
import { type NamedArray, npzDataset } from "../src/data/npz-dataset.ts";
import { readParquetTable } from "../src/data/parquet-table.ts";
import { samplesOf } from "../src/data/samples.ts";
import { parsePackedIdx } from "../src/data/sources/idx.ts";
import { tableDataset } from "../src/data/table-dataset.ts";
import { readZip } from "../src/data/zip.ts";
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
  /** Left out for a format that is never gzipped. */
  readonly isPacked?: boolean;
}

const images = Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 3, ...new Array(36).keys()]);
const labels = Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 2, 1]);
const table = `x,town,y,who\r\n${'1,Ulm,0,ann\n-2.5e3,"Bonn, ""W""",1,bo\n\n3,,0,cy\n'.repeat(5)}`;
const rows = JSON.stringify(
  Array.from({ length: 12 }, (_, row) => ({ x: row / 3, town: row % 2 ? "Ulm" : null, y: row % 3 })),
);
const fixture = (path: string): Uint8Array =>
  readFileSync(join(import.meta.dirname, "../test/fixtures", path));
const arrayFile = (name: string): Uint8Array => {
  const entry = readZip(fixture("arrays/table.npz"), "table").find((one) => one.name === `${name}.npy`);
  return entry?.content() ?? new Uint8Array();
};
const noisy = sharp({
  create: {
    width: 9,
    height: 7,
    channels: 3,
    background: "red",
    noise: { type: "gaussian", mean: 99, sigma: 40 },
  },
});
const digits = `${Array.from({ length: 12 }, (_, row) => `${new Array(64).fill(row).join()},${row % 3}`).join("\n")}\n`;

const targets: readonly Target[] = await Promise.all<Target>([
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
  {
    name: "json",
    seed: Buffer.from(rows),
    read: async (bytes) => {
      const roles = { label: "y", groups: ["town"], drop: [], testFraction: 0.3 };
      return tableDataset(parseJsonTable(await unpack(bytes, "json"), "json"), roles, description, key);
    },
  },
  ...["none", "zstd", "brotli", "snappy", "lz4", "gzip"].map((codec) => ({
    name: `parquet ${codec}`,
    seed: fixture(`tables/${codec}.parquet`),
    read: async (bytes: Uint8Array) => {
      const roles = {
        label: "label",
        subject: "person",
        groups: ["town"],
        drop: ["whole", "list"],
        testFraction: 0.3,
      };
      return tableDataset(await readParquetTable(bytes, "parquet"), roles, description, key);
    },
    isPacked: false,
  })),
  {
    name: "npz",
    seed: fixture("arrays/images.npz"),
    read: async (bytes) => npzOf(bytes),
    isPacked: false,
  },
  {
    name: "npy",
    seed: arrayFile("features"),
    read: async (bytes) => npzOf(zipOf({ "x_train.npy": bytes, "y_train.npy": arrayFile("target") })),
    isPacked: false,
  },
  ...(["png", "jpeg", "webp", "gif", "tiff"] as const).map(
    (format): Promise<Target> =>
      noisy
        .clone()
        .toFormat(format)
        .toBuffer()
        .then((bytes) => ({
          name: `image ${format}`,
          seed: bytes,
          read: async (damaged) => imagesOf(await decodeImage(damaged, "image", { size: 4, channels: 3 })),
          isPacked: false,
        })),
  ),
]);

const [countText, seedText, ...names] = process.argv.slice(2);
const count = Number(countText ?? DEFAULT_COUNT);
const seed = Number(seedText ?? 1);
const chosen = targets.filter(({ name }) => names.length === 0 || names.includes(name));
const stream = randomStream(keyFromSeed(seed));
const outcomes = new Map<string, number>();
let slowestMs = 0;
let largestBuffers = 0;
const started = performance.now();
for (let run = 0; run < count; run++) {
  const target = chosen[run % chosen.length] as Target;
  const input = target.isPacked === false ? mutate(target.seed, stream) : inputFrom(target.seed, stream);
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

function npzOf(bytes: Uint8Array): Dataset {
  const entries = new Map(readZip(bytes, "npz").map((entry) => [entry.name, entry]));
  const array = (name: string): NamedArray => {
    const content = entries.get(`${name}.npy`)?.content() ?? new Uint8Array();
    return { name, array: parseNpy(content, name) };
  };
  const train = { x: array("x_train"), y: array("y_train"), groups: [] };
  return npzDataset({ file: "npz", train, testFraction: 0.3 }, description, key);
}

/** A sound archive of damaged files: damage to a deflated file alone would be caught by its checksum. */
function zipOf(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(files)) {
    const packed = deflateRawSync(content);
    const facts = Buffer.alloc(20);
    facts.writeUInt16LE(8, 2);
    facts.writeUInt32LE(crc32(content), 8);
    facts.writeUInt32LE(packed.length, 12);
    facts.writeUInt32LE(content.length, 16);
    const nameLength = Buffer.of(name.length, 0, 0, 0);
    const local = Buffer.concat([
      Buffer.from("PK\x03\x04\x14\0"),
      facts.subarray(0, 20),
      nameLength,
      Buffer.from(name),
      packed,
    ]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory.push(
      Buffer.concat([
        Buffer.from("PK\x01\x02\x14\0\x14\0"),
        facts.subarray(0, 20),
        nameLength,
        tail.subarray(0, 14),
        Buffer.from(name),
      ]),
    );
    parts.push(local);
    at += local.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, listed, end]);
}

/** One decoded image as a dataset. */
function imagesOf(pixels: Uint8Array): Dataset {
  const samples = samplesOf({
    idPrefix: "fuzz",
    featureShape: [3, 4, 4],
    features: { values: pixels, divisor: 255 },
    labels: new Int32Array(1),
    classCount: 1,
  });
  return { ...description, classNames: ["one"], featureShape: [3, 4, 4], train: samples, test: samples };
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
