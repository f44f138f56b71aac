import { LetheError } from "../kernel/errors.ts";

/** A dataset's argument, taken apart. */
export interface DatasetArgument {
  /** What stands before the question mark. */
  readonly path: string;
  /** The value of a parameter; `undefined` where it is not given. */
  one(name: string): string | undefined;
  /** All values of a parameter that may be repeated. */
  all(name: string): readonly string[];
  /** The error for a value this argument should not have: `Expected …, got …`. */
  fault(expectation: string): LetheError;
}

/**
 * Reads `PATH?name=value&…` for a source that knows these names. Special characters are written as in an address (`%26` for &).
 *
 * @param form - `csv:FILE?label=COLUMN`, for messages
 * @param known.single - parameters given at most once
 * @param known.repeated - parameters given any number of times
 * @throws LETHE_USAGE_DATASET for another parameter, or one repeated that must not be
 */
export function parseDatasetArgument(
  argument: string,
  form: string,
  known: { readonly single: readonly string[]; readonly repeated?: readonly string[] },
): DatasetArgument {
  const { single, repeated = [] } = known;
  const mark = argument.lastIndexOf("?");
  const path = mark < 0 ? argument : argument.slice(0, mark);
  const parameters = new URLSearchParams(mark < 0 ? "" : argument.slice(mark + 1));
  const id = form.slice(0, form.indexOf(":"));
  const fault = (expectation: string): LetheError =>
    new LetheError("usage", "USAGE_DATASET", `${expectation}, in \`${id}:${argument}\`. Write ${form}.`, {
      details: { argument },
    });
  for (const name of parameters.keys()) {
    const isSingle = single.includes(name);
    if (!isSingle && !repeated.includes(name)) {
      throw fault(`Expected parameters ${[...single, ...repeated].join(", ")}, got \`${name}\``);
    }
    if (isSingle && parameters.getAll(name).length > 1) throw fault(`Expected one \`${name}\`, got several`);
  }
  return {
    path,
    one: (name) => parameters.get(name) ?? undefined,
    all: (name) => parameters.getAll(name),
    fault,
  };
}

/** A fifth, the usual share. */
const DEFAULT_TEST_FRACTION = 0.2;

/**
 * The parameter `test`: which share of the samples is put aside for testing; a fifth where it is not given.
 *
 * @returns in (0, 1)
 * @throws LETHE_USAGE_DATASET
 */
export function testFractionOf(argument: DatasetArgument): number {
  const text = argument.one("test");
  const fraction = text === undefined ? DEFAULT_TEST_FRACTION : Number(text);
  if (fraction > 0 && fraction < 1) return fraction;
  throw argument.fault(`Expected a test fraction in (0, 1), got \`${text}\``);
}
