import { join } from "node:path";
import { LetheError } from "../../kernel/errors.ts";
import type { Samples } from "../dataset.ts";
import { readBytes } from "../file.ts";
import { samplesOf } from "../samples.ts";
import type { DatasetSource } from "../source.ts";

const CLASS_NAMES = "airplane automobile bird cat deer dog frog horse ship truck".split(" ");
const SHAPE = [3, 32, 32];
const PIXELS = 3 * 32 * 32;
/** A label and the pixels, plane after plane. */
const RECORD_BYTES = 1 + PIXELS;
const PIXEL_MAX = 255;
const TRAIN_FILES = [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`);
/** Ten thousand records are 31 MB; eight times that is another file. */
const MAX_FILE_BYTES = 2 ** 28;

/** CIFAR-10 from the user's copy of its binary version. */
export const cifar10: DatasetSource = {
  id: "cifar10",
  form: "cifar10:DIR",
  title: "CIFAR-10, the user's copy of the binary version (data_batch_1.bin … test_batch.bin)",
  paper: "A. Krizhevsky, Learning multiple layers of features from tiny images, 2009",
  licence: "none stated by the publisher",
  availability: async () => ({ available: true }),
  async load(directory) {
    const { id, licence } = cifar10;
    return Object.freeze({
      id,
      title: "CIFAR-10",
      licence,
      classNames: CLASS_NAMES,
      featureShape: SHAPE,
      train: await samplesIn(
        TRAIN_FILES.map((name) => join(directory, name)),
        `${id}/train`,
      ),
      test: await samplesIn([join(directory, "test_batch.bin")], `${id}/test`),
    });
  },
};

async function samplesIn(paths: readonly string[], idPrefix: string): Promise<Samples> {
  const files = await Promise.all(
    paths.map(async (path) => recordsOf(await readBytes(path, MAX_FILE_BYTES), path)),
  );
  const records = Buffer.concat(files);
  const count = records.length / RECORD_BYTES;
  const values = new Uint8Array(count * PIXELS);
  for (let at = 0; at < count; at++) {
    values.set(records.subarray(at * RECORD_BYTES + 1, (at + 1) * RECORD_BYTES), at * PIXELS);
  }
  return samplesOf({
    idPrefix,
    featureShape: SHAPE,
    features: { values, divisor: PIXEL_MAX },
    labels: Int32Array.from({ length: count }, (_, at) => records[at * RECORD_BYTES] as number),
    classCount: CLASS_NAMES.length,
  });
}

function recordsOf(bytes: Uint8Array, file: string): Uint8Array {
  if (bytes.length === 0 || bytes.length % RECORD_BYTES !== 0) {
    throw new LetheError(
      "data",
      "DATA_SIZE",
      `Expected records of ${RECORD_BYTES} bytes in ${file}, got ${bytes.length} bytes. Is it the binary version?`,
      { details: { file, bytes: bytes.length } },
    );
  }
  for (let offset = 0; offset < bytes.length; offset += RECORD_BYTES) {
    if ((bytes[offset] as number) < CLASS_NAMES.length) continue;
    throw new LetheError(
      "data",
      "DATA_LABEL",
      `Expected labels in 0 … ${CLASS_NAMES.length - 1}, got ${bytes[offset]} at offset ${offset} of ${file}.`,
      { details: { file, offset } },
    );
  }
  return bytes;
}
