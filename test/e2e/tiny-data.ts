import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blobs } from "../support/blobs.ts";

/** Rows of two numbers and one word, in three classes that can be told apart. */
export function writeCsv(path: string, rows = 90): void {
  const samples = blobs({ count: rows, featureShape: [2], classes: 3, seed: 6, spread: 0.08 });
  const row = new Float32Array(2);
  const lines = Array.from({ length: rows }, (_, position) => {
    samples.gather([position], row);
    const label = samples.labels[position] as number;
    return `${row[0]},${row[1]},${position % 2 === 0 ? "even" : "odd"},${["ash", "birch", "cedar"][label]}`;
  });
  writeFileSync(path, `height,width,parity,kind\n${lines.join("\n")}\n`);
}

/** What to change in a directory of IDX files. */
export interface IdxFaults {
  /** Bytes that are missing at the end of the training images. */
  readonly missingBytes?: number;
  /** A label in place of the first of the test part, where the training part has classes 0 to 3. */
  readonly testLabel?: number;
  /** The number of labels, where it is not that of the images. */
  readonly labelCount?: number;
  /** All pictures are of class 0, of two that there could be. */
  readonly oneClass?: boolean;
  /** Standard deviation around a class's centre, 0.3 where classes are easy to tell apart. */
  readonly spread?: number;
  /** Pictures of the two parts. */
  readonly counts?: readonly [train: number, test: number];
}

const CLASSES = 4;

/** 200 pictures of 16×16 to train on and 40 to test on, unless asked for others. */
export function writeIdx(directory: string, faults: IdxFaults = {}): void {
  mkdirSync(directory, { recursive: true });
  const [trainCount, testCount] = faults.counts ?? [200, 40];
  for (const [part, count, seed] of [
    ["train", trainCount, 1],
    ["t10k", testCount, 2],
  ] as const) {
    const samples = blobs({
      count,
      featureShape: [1, 16, 16],
      classes: CLASSES,
      seed,
      spread: faults.spread ?? 0.3,
    });
    const pixels = new Float32Array(count * 256);
    samples.gather([...samples.labels.keys()], pixels);
    const labels = Uint8Array.from(samples.labels, (label) => (faults.oneClass ? 0 : label));
    const isTrain = part === "train";
    if (!isTrain && faults.testLabel !== undefined) labels[0] = faults.testLabel;
    const images = idx(
      [count, 16, 16],
      Uint8Array.from(pixels, (value) => Math.round(255 * value)),
    );
    const end = images.length - (isTrain ? (faults.missingBytes ?? 0) : 0);
    writeFileSync(join(directory, `${part}-images-idx3-ubyte`), images.subarray(0, end));
    const labelCount = isTrain ? (faults.labelCount ?? count) : count;
    writeFileSync(
      join(directory, `${part}-labels-idx1-ubyte`),
      idx([labelCount], labels.subarray(0, labelCount)),
    );
  }
}

function idx(shape: readonly number[], values: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + values.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, 8, shape.length]);
  for (const [axis, size] of shape.entries()) view.setUint32(4 + 4 * axis, size);
  bytes.set(values, 4 + 4 * shape.length);
  return bytes;
}
