import { LetheError } from "../kernel/errors.ts";
import type { Key } from "../kernel/key.ts";
import type { CsvTable } from "./csv-table.ts";
import type { Dataset } from "./dataset.ts";
import { samplesOf } from "./samples.ts";
import { stratifiedSplit } from "./split.ts";

const SIDE = 8;
const PIXELS = SIDE * SIDE;
/** Each pixel counts the dots set in a 4 × 4 block. */
const PIXEL_MAX = 16;
const CLASSES = 10;
const TEST_FRACTION = 0.2;

/**
 * Makes a dataset of a table of 8 × 8 digits: 64 pixels in 0 … 16, then the digit. Pixels are divided by 16. A stratified
 * fifth, chosen by `splitKey`, is the test part; row `i` has the id `ID/i` in either part.
 *
 * @throws LETHE_DATA_SIZE for another number of columns · LETHE_DATA_RANGE for a pixel that is not in 0 … 16 ·
 * LETHE_DATA_LABEL for a label that is not a digit · LETHE_DATA_ONE_CLASS
 * Source: E. Alpaydin, C. Kaynak, "Optical recognition of handwritten digits", UCI repository (1998).
 */
export function digitsDataset(
  table: CsvTable,
  description: Pick<Dataset, "id" | "title" | "licence">,
  splitKey: Key,
): Dataset {
  const { rows, file } = table;
  const columns = rows[0]?.length ?? 0;
  if (columns !== PIXELS + 1) {
    throw digitsError("DATA_SIZE", `Expected ${PIXELS} pixels and a label, got ${columns} columns`, file, 1);
  }
  const pixels = new Uint8Array(rows.length * PIXELS); // [rows, 64]
  const labels = new Int32Array(rows.length);
  rows.forEach((row, at) => {
    const line = table.lines[at] as number;
    row.forEach((cell, column) => {
      const isLabel = column === PIXELS;
      const most = isLabel ? CLASSES - 1 : PIXEL_MAX;
      const value = /^\d{1,2}$/.test(cell) ? Number(cell) : Number.NaN;
      if (!(value <= most)) {
        const what = isLabel ? "a label" : "a pixel";
        const code = isLabel ? "DATA_LABEL" : "DATA_RANGE";
        throw digitsError(code, `Expected ${what} in 0 … ${most} in column ${column + 1}`, file, line);
      }
      if (isLabel) labels[at] = value;
      else pixels[at * PIXELS + column] = value;
    });
  });
  if (new Set(labels).size < 2) {
    throw digitsError("DATA_ONE_CLASS", "Expected at least two different labels, got one", file, 1);
  }

  const samples = samplesOf({
    idPrefix: description.id,
    featureShape: [1, SIDE, SIDE],
    features: { values: pixels, divisor: PIXEL_MAX },
    labels,
    classCount: CLASSES,
  });
  const split = stratifiedSplit(labels, CLASSES, TEST_FRACTION, splitKey);
  return Object.freeze({
    ...description,
    classNames: Array.from({ length: CLASSES }, (_, digit) => String(digit)),
    featureShape: samples.featureShape,
    train: samples.subset(split.train),
    test: samples.subset(split.test),
  });
}

function digitsError(code: string, expectation: string, file: string, line: number): LetheError {
  return new LetheError("data", code, `${expectation}, on line ${line} of ${file}.`, {
    details: { file, line },
  });
}
