import { prettifyError, type z } from "zod";
import { LetheError } from "../kernel/errors.ts";

/**
 * Expects lists that belong together row by row.
 *
 * @throws LETHE_DATA_SHAPE naming the lengths
 */
export function expectSameLength(metric: string, lists: Readonly<Record<string, ArrayLike<unknown>>>): void {
  const lengths = Object.entries(lists).map(([name, { length }]) => [name, length] as const);
  if (new Set(lengths.map(([, length]) => length)).size <= 1) return;
  const got = lengths.map(([name, length]) => `${length} \`${name}\``).join(", ");
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected lists of one length in metric \`${metric}\`, got ${got}. Give one entry of each per sample.`,
  );
}

/**
 * Expects numbers that are all finite.
 *
 * @throws LETHE_NUMERIC_NOT_FINITE with how many are not, never the values
 */
export function expectFinite(metric: string, name: string, values: ArrayLike<number>): void {
  let bad = 0;
  let first = -1;
  for (let index = 0; index < values.length; index++) {
    if (Number.isFinite(values[index])) continue;
    if (bad++ === 0) first = index;
  }
  if (bad === 0) return;
  throw new LetheError(
    "numeric",
    "NUMERIC_NOT_FINITE",
    `Expected finite \`${name}\` in metric \`${metric}\`, got ${bad} of ${values.length} that are NaN or infinite, the ` +
      `first at position ${first}. The model has diverged, or its input holds such values.`,
  );
}

/**
 * Expects enough entries for the figure to mean something.
 *
 * @throws LETHE_DATA_TOO_FEW
 */
export function expectAtLeast(metric: string, name: string, count: number, least: number): void {
  if (count >= least) return;
  throw new LetheError(
    "data",
    "DATA_TOO_FEW",
    `Expected at least ${least} \`${name}\` in metric \`${metric}\`, got ${count}. Give more, or leave the metric out.`,
  );
}

/**
 * Expects shares such as accuracies: numbers in [0, 1].
 *
 * @throws LETHE_DATA_RANGE
 */
export function expectShares(metric: string, shares: Readonly<Record<string, number>>): void {
  for (const [name, share] of Object.entries(shares)) {
    if (share >= 0 && share <= 1) continue;
    throw new LetheError(
      "data",
      "DATA_RANGE",
      `Expected \`${name}\` in [0, 1] in metric \`${metric}\`, got ${share}. Give a fraction, not a percentage.`,
    );
  }
}

/**
 * Expects numbers above 0, or from 0 on.
 *
 * @throws LETHE_DATA_RANGE
 */
export function expectNonNegative(metric: string, numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (value >= 0 && Number.isFinite(value)) continue;
    throw new LetheError(
      "data",
      "DATA_RANGE",
      `Expected \`${name}\` from 0 on in metric \`${metric}\`, got ${value}.`,
    );
  }
}

/**
 * The settings of a metric, defaults filled in.
 *
 * @throws LETHE_USAGE_CONFIG
 */
export function parseMetricSettings<S extends z.ZodType>(
  metric: string,
  schema: S,
  input: unknown,
): z.output<S> {
  const parsed = schema.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  throw new LetheError(
    "usage",
    "USAGE_CONFIG",
    `Expected valid settings of metric \`${metric}\`:\n${prettifyError(parsed.error)}`,
  );
}
