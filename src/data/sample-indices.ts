import { LetheError } from "../kernel/errors.ts";

/**
 * Reads positions of samples, one whole number a line, from 0; empty lines are passed over.
 *
 * @param file - its name, for messages
 * @param count - how many samples there are
 * @returns ascending, distinct
 * @throws LETHE_DATA_INDICES naming the line of anything that is no number, not below `count` or there twice; or when the file
 * holds none
 */
export function parseSampleIndices(text: string, file: string, count: number): Uint32Array {
  const lineOf = new Map<number, number>();
  text.split(/\r\n|\n|\r/).forEach((content, at) => {
    const line = at + 1;
    const cell = content.trim();
    if (cell === "") return;
    // Longer numbers are outside any set of samples.
    const index = /^\d{1,10}$/.test(cell) ? Number(cell) : Number.NaN;
    if (!(index < count))
      throw indicesError(`Expected a position in [0, ${count}), got another text`, file, line);
    const before = lineOf.get(index);
    if (before !== undefined) {
      throw indicesError(`Expected each position once, got ${index} (also on line ${before})`, file, line);
    }
    lineOf.set(index, line);
  });
  if (lineOf.size === 0) {
    throw new LetheError("data", "DATA_INDICES", `Expected positions of samples in ${file}, got none.`, {
      details: { file },
    });
  }
  return Uint32Array.from(lineOf.keys()).sort();
}

function indicesError(expectation: string, file: string, line: number): LetheError {
  return new LetheError(
    "data",
    "DATA_INDICES",
    `${expectation} on line ${line} of ${file}. Write one position a line, from 0 within the training part.`,
    { details: { file, line } },
  );
}
