import { LetheError } from "../kernel/errors.ts";
import { formatShape, type Shape } from "../onnx/shape.ts";
import { isFloating, tensorOfNumbers } from "../onnx/tensor.ts";
import type { GraphInput, NumericArray, SizedArray } from "./session.ts";

/** Sizes of dimensions that have only a name in the graph: `{ sequence: 128 }`. */
export type NamedSizes = Readonly<Record<string, number>>;

/**
 * A reader of feeds: every input's array with all its sizes. The one unknown size of an input is found from its array's
 * length; of an input with several, all but one have to be given or follow from other inputs.
 *
 * @throws LETHE_USAGE_FEED (the reader) for a missing input or a length that does not fit
 */
export function feedReader(
  inputs: readonly GraphInput[],
): (feeds: Readonly<Record<string, NumericArray>>, given: NamedSizes) => ReadonlyMap<string, SizedArray> {
  const hasSeveralNames = inputs.some(({ shape }) => namesOf(shape).length > 1);
  return (feeds, given) => {
    const known = hasSeveralNames ? namedSizes(inputs, feeds, given) : given;
    return new Map(inputs.map((input) => [input.name, sizedArray(input, feeds[input.name], known)]));
  };
}

function sizedArray(input: GraphInput, data: NumericArray | undefined, known: NamedSizes): SizedArray {
  if (data === undefined) {
    throw new LetheError("usage", "USAGE_FEED", `Expected a value for input \`${input.name}\`, got none.`);
  }
  const elements =
    isFloating(input.dtype) || !(data instanceof Float32Array) ? data : wholeNumbers(input, data);
  return { dtype: input.dtype, data: elements, sizes: sizesOf(input, data.length, known) };
}

function wholeNumbers(input: GraphInput, data: Float32Array): NumericArray {
  if (data.every(Number.isInteger)) return tensorOfNumbers(input.dtype, [data.length], [...data]).data;
  throw new LetheError(
    "usage",
    "USAGE_FEED",
    `Expected whole numbers for input \`${input.name}\`, which holds ids, got others among them.`,
  );
}

const namesOf = (shape: Shape): string[] => [...new Set(shape.filter((dim) => typeof dim === "string"))];

/** Sizes given, and those that inputs with one unknown size tell about the others. */
function namedSizes(
  inputs: readonly GraphInput[],
  feeds: Readonly<Record<string, NumericArray>>,
  given: NamedSizes,
): NamedSizes {
  const known: Record<string, number> = { ...given };
  for (let found = -1; found !== Object.keys(known).length; ) {
    found = Object.keys(known).length;
    for (const input of inputs) {
      const unknown = namesOf(input.shape).filter((name) => known[name] === undefined);
      const data = feeds[input.name];
      if (unknown.length !== 1 || data === undefined) continue;
      known[unknown[0] as string] = lastSize(input.shape, data.length, known);
    }
  }
  return known;
}

/** What the one unknown size has to be for `length` elements. */
function lastSize(shape: Shape, length: number, sizes: NamedSizes): number {
  const rest = shape.reduce<number>(
    (product, dim) => product * (typeof dim === "number" ? dim : (sizes[dim] ?? 1)),
    1,
  );
  const times = shape.filter((dim) => typeof dim === "string" && sizes[dim] === undefined).length;
  return times > 1 ? (length / rest) ** (1 / times) : length / rest;
}

function sizesOf({ name, shape }: GraphInput, length: number, sizes: NamedSizes): number[] {
  const unknown = namesOf(shape).filter((dim) => sizes[dim] === undefined);
  const missing = lastSize(shape, length, sizes);
  const resolved = shape.map((dim) => (typeof dim === "number" ? dim : (sizes[dim] ?? missing)));
  const fills = resolved.reduce((product, size) => product * size, 1) === length;
  if (unknown.length > 1 || !fills || !resolved.every((size) => Number.isInteger(size) && size >= 0)) {
    throw new LetheError(
      "usage",
      "USAGE_FEED",
      `Expected an array that fills shape ${formatShape(shape)} for input \`${name}\`, got ${length} elements` +
        `${unknown.length > 1 ? `; say the sizes of ${unknown.join(" and ")}` : ""}.`,
    );
  }
  return resolved;
}
