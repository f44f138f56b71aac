import { LetheError } from "../kernel/errors.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { Value } from "../onnx/ir.ts";
import type { NumericArray } from "../runtime/program.ts";

/** One thing to feed: a tensor, a number, a set of weights, or the parts of a batch. */
export type Feed = NumericArray | number | ParameterSet | Readonly<Record<string, NumericArray>>;

/** What a run is fed, by name; the entry `key` of a set or a batch called `name` is the input `name:key`. */
export type Feeds = Readonly<Record<string, Feed>>;

/**
 * Feeds as arrays by the names of inputs.
 *
 * @param inputs - what may be fed; entries of a {@link ParameterSet} that are no inputs (buffers, say) are left out
 * @throws LETHE_USAGE_FEED for a name that no input has, and for tensors of one batch with different numbers of rows
 */
export function flatFeeds(inputs: readonly Value[], feeds: Feeds): Record<string, NumericArray> {
  const known = new Map(inputs.map((input) => [input.name, input]));
  const rows = new Map<string, number>();
  const flat: Record<string, NumericArray> = {};
  const put = (name: string, value: NumericArray): void => {
    const input = known.get(name);
    if (input === undefined) throw unknownFeed(name, known.keys());
    requireSameRows(input, value, rows);
    flat[name] = value;
  };
  for (const [name, feed] of Object.entries(feeds)) {
    if (typeof feed === "number") put(name, Float32Array.of(feed));
    else if (ArrayBuffer.isView(feed)) put(name, feed as NumericArray);
    else if (feed instanceof Map) {
      const entries = [...(feed as ParameterSet)].filter(([key]) => known.has(`${name}:${key}`));
      if (entries.length === 0) throw unknownFeed(name, known.keys());
      for (const [key, value] of entries) flat[`${name}:${key}`] = value;
    } else for (const [key, value] of Object.entries(feed)) put(`${name}:${key}`, value);
  }
  return flat;
}

/** Without this check a batch of one label would be stretched over all rows. */
function requireSameRows(input: Value, value: NumericArray, rows: Map<string, number>): void {
  const named = input.shape.filter((dim) => typeof dim === "string");
  const [name] = named;
  if (name === undefined || named.length > 1) return;
  const rowLength = input.shape.reduce<number>(
    (size, dim) => (typeof dim === "number" ? size * dim : size),
    1,
  );
  const own = value.length / rowLength;
  const others = rows.get(name) ?? own;
  if (own !== others) {
    throw new LetheError(
      "usage",
      "USAGE_FEED",
      `Expected ${others} rows of \`${input.name}\` as in the rest of \`${name}\`, got ${own}.`,
    );
  }
  rows.set(name, own);
}

function unknownFeed(name: string, known: Iterable<string>): LetheError {
  return new LetheError(
    "usage",
    "USAGE_FEED",
    `Expected feeds the objective asks for (${[...known].join(", ") || "none"}), got \`${name}\`.`,
  );
}
