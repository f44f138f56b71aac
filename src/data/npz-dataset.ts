import { LetheError } from "../kernel/errors.ts";
import type { Key } from "../kernel/key.ts";
import { sizeOf } from "../kernel/layout.ts";
import type { Dataset } from "./dataset.ts";
import type { NpyArray } from "./npy.ts";
import { type CategoryColumn, type FeatureColumn, samplesOf } from "./samples.ts";
import { requireTestPart, stratifiedSplit } from "./split.ts";
import { wordsOf } from "./table.ts";
import { categoryOf, encodeLabels } from "./table-labels.ts";

/** Where the channels of an image stand in its shape. */
export type ChannelOrder = "first" | "last";

/** An array with its name in the file. */
export interface NamedArray {
  readonly name: string;
  readonly array: NpyArray;
}

/** Samples of one part. */
export interface NpzPart {
  readonly x: NamedArray;
  readonly y: NamedArray;
  readonly subject?: NamedArray;
  readonly groups: readonly NamedArray[];
}

/** Bytes are pixels. */
const PIXEL_MAX = 255;
/** Numbers of channels by which the channels of an image are told from its height and width. */
const CHANNEL_COUNTS = [1, 3, 4];

/**
 * Makes a dataset of arrays: x is [n, features], images [n, height, width] or [n, height, width, channels] (or channels first), y is
 * [n] or [n, 1]. Bytes are divided by 255, other numbers taken as they are. Without a test part a stratified share of the samples
 * is one. Row `i` of a part has the id `ID/i`, or `ID/train/i` and `ID/test/i`.
 *
 * @param parts.channels - where an image's channels stand; when left out, last if the last dimension is 1, 3 or 4
 * @param parts.testFraction - in (0, 1), where there is no test part
 * @throws LETHE_DATA_SIZE for shapes that do not fit each other · LETHE_DATA_NOT_FINITE · LETHE_DATA_LABEL · LETHE_DATA_ONE_CLASS ·
 * LETHE_DATA_EMPTY for too few samples to test on
 */
export function npzDataset(
  parts: {
    readonly file: string;
    readonly train: NpzPart;
    readonly test?: NpzPart;
    readonly channels?: ChannelOrder;
    readonly testFraction: number;
  },
  description: Pick<Dataset, "id" | "title" | "licence">,
  splitKey: Key,
): Dataset {
  const { file, train, test, channels, testFraction } = parts;
  const { id } = description;
  const labels = labelsOf([train, ...(test ? [test] : [])], file);
  const samples = (part: NpzPart, idPrefix: string, codes: Int32Array) =>
    samplesOf({
      idPrefix,
      ...featuresOf(part.x, file, channels),
      labels: codes,
      classCount: labels.names.length,
      ...(part.subject && { subjects: categories(part.subject, codes.length, file) }),
      groups: Object.fromEntries(
        part.groups.map((group) => [group.name, categories(group, codes.length, file)]),
      ),
    });
  const trainCount = countOf(train.y);
  const whole = samples(train, test ? `${id}/train` : id, labels.codes.slice(0, trainCount));
  const shared = { ...description, classNames: labels.names, featureShape: whole.featureShape };
  if (!test) {
    const split = stratifiedSplit(whole.labels, labels.names.length, testFraction, splitKey);
    requireTestPart(split, file);
    return Object.freeze({ ...shared, train: whole.subset(split.train), test: whole.subset(split.test) });
  }
  const testSamples = samples(test, `${id}/test`, labels.codes.slice(trainCount));
  if (whole.featureShape.join() !== testSamples.featureShape.join()) {
    throw sizeError(
      `samples of one shape in \`${train.x.name}\` and \`${test.x.name}\``,
      `${whole.featureShape.join(" × ")} and ${testSamples.featureShape.join(" × ")}`,
      file,
    );
  }
  return Object.freeze({ ...shared, train: whole, test: testSamples });
}

function countOf({ array }: NamedArray): number {
  return array.shape[0] ?? 0;
}

function labelsOf(parts: readonly NpzPart[], file: string): CategoryColumn {
  for (const { x, y } of parts) {
    if (sizeOf(y.array.shape) !== countOf(y) || countOf(x) !== countOf(y)) {
      throw sizeError(`${countOf(x)} labels in \`${y.name}\``, y.array.shape.join(" × "), file);
    }
  }
  const name = parts.map(({ y }) => y.name).join(", ");
  const values = Float64Array.from(parts.flatMap(({ y }) => [...y.array.values]));
  return encodeLabels({ name, values, table: { file, placeOf: (row) => `row ${row + 1}` } });
}

function featuresOf(
  { name, array }: NamedArray,
  file: string,
  channels: ChannelOrder | undefined,
): { readonly featureShape: readonly number[]; readonly features: FeatureColumn } {
  const [, ...shape] = array.shape;
  if (shape.length === 0) throw sizeError(`at least two dimensions in \`${name}\``, "one", file);
  const order = channels ?? (CHANNEL_COUNTS.includes(shape[2] ?? 0) ? "last" : "first");
  const { values } = array;
  const held = values instanceof Uint8Array ? values : finite(values, name, file);
  const wrap = (chosen: Uint8Array | Float32Array): FeatureColumn =>
    chosen instanceof Uint8Array ? { values: chosen, divisor: PIXEL_MAX } : { values: chosen };
  if (shape.length < 3 || order === "first") {
    // [height, width] is an image of one channel.
    return { featureShape: shape.length === 2 ? [1, ...shape] : shape, features: wrap(held) };
  }
  const [height = 1, width = 1, count = 1] = shape;
  return { featureShape: [count, height, width], features: wrap(channelsFirst(held, height * width, count)) };
}

/** [n, pixels, channels] → [n, channels, pixels] */
function channelsFirst<Values extends Uint8Array | Float32Array>(
  values: Values,
  pixels: number,
  channels: number,
) {
  const moved = values.slice();
  const size = pixels * channels;
  for (let start = 0; start < values.length; start += size) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        moved[start + channel * pixels + pixel] = values[start + pixel * channels + channel] as number;
      }
    }
  }
  return moved;
}

function finite(values: Float64Array, name: string, file: string): Float32Array {
  const floats = Float32Array.from(values);
  const fault = floats.findIndex((value) => !Number.isFinite(value));
  if (fault < 0) return floats;
  throw new LetheError(
    "data",
    "DATA_NOT_FINITE",
    `Expected finite numbers of ordinary size in \`${name}\` of ${file}, got none as number ${fault + 1}.`,
    { details: { file, array: name, number: fault + 1 } },
  );
}

function categories({ name, array }: NamedArray, count: number, file: string): CategoryColumn {
  if (array.values.length !== count) {
    throw sizeError(`${count} entries in \`${name}\``, String(array.values.length), file);
  }
  return categoryOf(wordsOf(Float64Array.from(array.values)));
}

function sizeError(expected: string, got: string, file: string): LetheError {
  return new LetheError("data", "DATA_SIZE", `Expected ${expected} of ${file}, got ${got}.`, {
    details: { file },
  });
}
