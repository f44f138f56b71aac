import { LetheError } from "../../kernel/errors.ts";
import { type Attributes, stringAttribute } from "../../onnx/attributes.ts";
import { concat, gather, pad, reduceSum, reshapeLike, slice, sub } from "../../onnx/functions/index.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { normalizeAxis, sumOfDims } from "../../onnx/shape.ts";
import { integersOf, knownSize } from "./known.ts";
import { inputOf } from "./rule.ts";

/**
 * More elements around x: a constant, or its own elements over again (then it is made of slices laid end to end). Negative
 * pads cut elements off.
 */
export const padOperators: readonly Operator[] = [
  {
    type: "Pad",
    limits: "Pads have to be known before the graph runs, and ≥ 0 in modes other than constant.",
    constantInputs: [1, 2, 3],
    infer: (context) => {
      const x = inputOf(context, 0);
      const [before, after] = padsOf(context.inputs);
      const shape = x.shape.map((dim, axis) => {
        const added = (before[axis] as number) + (after[axis] as number);
        if (typeof dim === "number" && dim + added < 0) {
          throw new LetheError(
            "data",
            "DATA_SHAPE",
            `Expected to cut at most ${dim} elements off axis ${axis}, got ${-added}.`,
          );
        }
        return added === 0 ? dim : sumOfDims([dim, added]);
      });
      return [{ dtype: x.dtype, shape }];
    },
    lower: ({ inputs, attributes }) => {
      const source = sourceOf(attributes);
      if (source === undefined) return undefined;
      const [x] = inputs as [Value];
      const [before, after] = padsOf(inputs);
      return [
        before.reduce(
          (padded, first, axis) => padAlong(padded, axis, first, after[axis] as number, source),
          x,
        ),
      ];
    },
    gradient: ({ inputs, gradients: [dy], wanted }) => {
      if (dy === undefined) return [];
      const [before, after] = padsOf(inputs);
      const negated = (pads: readonly number[]): number[] => pads.map((count) => -count);
      const inside = pad(dy, negated(before), negated(after));
      const fill = (): Value => reshapeLike(sub(reduceSum(dy), reduceSum(inside)), inputs[2] as Value);
      return [inside, undefined, wanted[2] ? fill() : undefined];
    },
  },
];

/** Which of n elements stands at a place, which may lie outside of 0 … n − 1. */
type Source = (place: number, n: number) => number;

const modulo = (a: number, n: number): number => ((a % n) + n) % n;

const SOURCES: Readonly<Record<string, Source | undefined>> = {
  constant: undefined,
  edge: (place, n) => Math.min(Math.max(place, 0), n - 1),
  // There and back again without the ends: 2(n − 1) places.
  reflect: (place, n) => {
    const along = n === 1 ? 0 : modulo(place, 2 * (n - 1));
    return along < n ? along : 2 * (n - 1) - along;
  },
  wrap: modulo,
};

function sourceOf(attributes: Attributes): Source | undefined {
  const mode = stringAttribute(attributes, "mode", "constant");
  if (mode in SOURCES) return SOURCES[mode];
  throw new LetheError(
    "data",
    "DATA_ATTRIBUTE",
    `Expected Pad in mode ${Object.keys(SOURCES).join(", ")}, got ${mode}.`,
  );
}

/** Beyond this number of pieces one Gather is the smaller graph; its gradient is slower. */
const MOST_PIECES = 9;

function padAlong(x: Value, axis: number, before: number, after: number, source: Source): Value {
  if (before === 0 && after === 0) return x;
  const size = knownSize(x, axis);
  if (before < 0 || after < 0 || size === 0) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected pads ≥ 0 of an axis with elements, got ${before} and ${after} for ${size} elements.`,
    );
  }
  const places = Array.from({ length: before + size + after }, (_, place) => source(place - before, size));
  const pieces = runsOf(places);
  if (pieces.length > MOST_PIECES) return gather(x, x.graph.integers(places), axis);
  return concat(
    pieces.map(({ first, step, count }) => {
      const end = first + step * count;
      // Before the first element is written −(size + 1): −1 would be the last.
      return slice(x, [{ axis, start: first, end: end < 0 ? -size - 1 : end, step }]);
    }),
    axis,
  );
}

/** A list of places as runs that count up or down by 1. */
function runsOf(places: readonly number[]): { first: number; step: number; count: number }[] {
  const runs: { first: number; step: number; count: number }[] = [];
  for (const place of places) {
    const last = runs.at(-1);
    const by = last === undefined ? 0 : place - (last.first + last.step * (last.count - 1));
    const goesOn = last !== undefined && (last.count === 1 ? Math.abs(by) === 1 : by === last.step);
    if (goesOn) {
      if (last.count === 1) last.step = by;
      last.count += 1;
    } else runs.push({ first: place, step: 1, count: 1 });
  }
  return runs;
}

/** How much is added before and after every axis of x. */
function padsOf([x, pads, , axes]: readonly (Value | undefined)[]): [number[], number[]] {
  const rank = (x as Value).shape.length;
  const given = integersOf(pads);
  const along = axes === undefined ? (x as Value).shape.map((_, axis) => axis) : integersOf(axes);
  if (given.length !== 2 * along.length) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected two pads for each of ${along.length} axes, got ${given.length}.`,
    );
  }
  const [before, after] = [new Array<number>(rank).fill(0), new Array<number>(rank).fill(0)];
  along.forEach((axis, index) => {
    before[normalizeAxis(axis, rank)] = given[index] as number;
    after[normalizeAxis(axis, rank)] = given[index + along.length] as number;
  });
  return [before, after];
}
