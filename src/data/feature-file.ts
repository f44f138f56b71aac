import { closeSync, openSync, readSync } from "node:fs";
import { LetheError } from "../kernel/errors.ts";

/** Features that lie in a file, row after row of bytes. */
export interface FeatureFile {
  readonly path: string;
  /** Rows. */
  readonly count: number;
  /** Bytes of a row. */
  readonly featureLength: number;
  /** What a byte is divided by. */
  readonly divisor: number;
}

/** An open feature file. */
export interface FeatureReader {
  readonly count: number;
  /** Writes the features of a row at out[offset …]. */
  fill(row: number, out: Float32Array, offset: number): void;
  close(): void;
}

/**
 * Opens a feature file. Rows are read when asked for and not kept, so that it may be larger than memory; the operating system
 * keeps as many as it has room for.
 *
 * @throws LETHE_DATA_UNREADABLE when the file cannot be opened, or from `fill` when it has been cut short
 */
export function openFeatureFile({ path, count, featureLength, divisor }: FeatureFile): FeatureReader {
  const descriptor = opened(path);
  const bytes = new Uint8Array(featureLength);
  const quotient = Float32Array.from({ length: 256 }, (_, byte) => byte / divisor);
  return {
    count,
    fill(row, out, offset) {
      const length = readSync(descriptor, bytes, 0, featureLength, row * featureLength);
      if (length < featureLength) throw unreadable(path);
      for (let at = 0; at < featureLength; at++) {
        out[offset + at] = quotient[bytes[at] as number] as number;
      }
    },
    close: () => closeSync(descriptor),
  };
}

function opened(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause?: unknown): LetheError {
  return new LetheError("data", "DATA_UNREADABLE", `Expected a whole file of features at ${path}.`, {
    details: { file: path },
    cause,
  });
}
