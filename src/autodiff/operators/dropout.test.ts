import { describe, expect, it } from "vitest";
import { mul, reduceSum } from "../../onnx/functions/index.ts";
import { Graph } from "../../onnx/graph.ts";
import type { Value } from "../../onnx/ir.ts";
import type { Shape } from "../../onnx/shape.ts";
import { tensorOfNumbers } from "../../onnx/tensor.ts";
import { compileProgram } from "../../runtime/program.ts";
import { gradients } from "../gradients.ts";
import { operators } from "./index.ts";

const ROWS = 96;
const COLUMNS = 80;
const RATIO = 0.3;

/** Two dropouts of one input in training, and the gradient through the first. */
async function droppedBy(
  seeds: readonly number[],
  { shape = ["batch", 8, COLUMNS / 8] as Shape, ratio = RATIO, threads = 1 } = {},
): Promise<Record<"first" | "second" | "slope", Float32Array>[]> {
  const graph = new Graph(operators);
  graph.input("dropout-seed", "int64", []);
  const x = graph.input("x", "float32", shape);
  const drop = (): Value =>
    graph.apply("Dropout", [x, graph.scalar(ratio), graph.constant(tensorOfNumbers("bool", [], [1]))]);
  const [first, second] = [drop(), drop()];
  const [slope] = gradients(reduceSum(mul(first, x)), [x]);
  const outputs = new Map([
    ["first", first],
    ["second", second],
    ["slope", slope],
  ]);
  await using program = await compileProgram({ inputs: graph.inputs, outputs }, { threads, spinning: false });
  const results: Record<"first" | "second" | "slope", Float32Array>[] = [];
  for (const seed of seeds) {
    const elements = shape.reduce<number>((n, dim) => n * (typeof dim === "number" ? dim : ROWS), 1);
    const feeds = { x: new Float32Array(elements).fill(1), "dropout-seed": BigInt64Array.of(BigInt(seed)) };
    results.push((await program.run(feeds)) as (typeof results)[number]);
  }
  return results;
}

/** Correlation of two 0/1 arrays of the same expectation, in standard deviations of what independent ones would have. */
function correlation(a: readonly boolean[], b: readonly boolean[]): number {
  const centred = (kept: boolean): number => (kept ? RATIO : RATIO - 1);
  const sum = a.reduce((total, kept, i) => total + centred(kept) * centred(b[i] as boolean), 0);
  return sum / (RATIO * (1 - RATIO) * Math.sqrt(a.length));
}

const keptBy = (result: Float32Array): boolean[] => Array.from(result, (x) => x !== 0);

describe("Dropout in training", () => {
  it("keeps the same elements for the same seed, at any number of threads, and scales them", async () => {
    const [once, other, again] = await droppedBy([7, 8, 7]);
    expect(again).toEqual(once);
    expect(other?.first).not.toEqual(once?.first);
    expect((await droppedBy([7], { threads: 2 }))[0]).toEqual(once);
    expect(new Set(once?.first)).toEqual(new Set([0, Math.fround(1 / (1 - RATIO))]));
    // d(Σ x²·mask/(1 − ratio))/dx at 1
    expect(once?.slope).toEqual(once?.first.map((y) => Math.fround(2 * y)));
  });

  it("keeps what whole-number arithmetic says, in any engine", async () => {
    const [result] = await droppedBy([12345]);
    const prime = 1073741789n;
    const constants = [0.41421356237, 0.61803398875, 0.71828182846, 0.14159265359].map((fraction) =>
      BigInt(Math.floor(fraction * 2 ** 30)),
    );
    const scrambled = (value: bigint, key: bigint): bigint =>
      constants.reduce((v, constant) => (v + key + constant) ** 3n % prime, value);
    // The first Dropout is the first node.
    const layer = scrambled(12345n, 0n);
    const [ofRows, ofColumns] = [scrambled(layer, 0n), scrambled(layer, 1n)];
    const threshold = BigInt(Math.floor(RATIO * Number(prime)));
    const expected = Array.from({ length: ROWS * COLUMNS }, (_, place) => {
      const [row, column] = [Math.floor(place / COLUMNS), place % COLUMNS];
      const sum = scrambled(BigInt(row), ofRows) + scrambled(BigInt(column), ofColumns);
      return sum ** 3n % prime >= threshold;
    });
    expect(keptBy(result?.first as Float32Array)).toEqual(expected);
  });

  it("drops each element with the given probability, independently of neighbours, seeds and layers", async () => {
    const results = await droppedBy([1, 2, 3, 2 ** 29]);
    const masks = results.map(({ first }) => keptBy(first));
    for (const mask of masks) {
      const kept = mask.filter(Boolean).length;
      const deviation = Math.sqrt(mask.length * RATIO * (1 - RATIO));
      expect(Math.abs(kept - mask.length * (1 - RATIO)) / deviation).toBeLessThan(4);
      const shifted = (by: number): boolean[] => mask.map((_, i) => mask[(i + by) % mask.length] as boolean);
      for (const by of [1, 2, COLUMNS, COLUMNS + 1, 2 * COLUMNS]) {
        expect(Math.abs(correlation(mask, shifted(by))), `shift ${by}`).toBeLessThan(4);
      }
      // Corners of rectangles, where sums of row and column numbers agree: the mask must not.
      const agree = (a: readonly boolean[], b: readonly boolean[]): boolean[] => a.map((x, i) => x === b[i]);
      const probability = RATIO ** 2 + (1 - RATIO) ** 2;
      const pairs = agree(agree(mask, shifted(1)), agree(shifted(COLUMNS), shifted(COLUMNS + 1)));
      const same = probability ** 2 + (1 - probability) ** 2;
      const rate = pairs.filter(Boolean).length / pairs.length;
      expect(Math.abs(rate - same) / Math.sqrt((same * (1 - same)) / pairs.length)).toBeLessThan(6);
    }
    const [a, b, c] = masks as [boolean[], boolean[], boolean[]];
    expect(Math.abs(correlation(a, b))).toBeLessThan(4);
    expect(Math.abs(correlation(b, c))).toBeLessThan(4);
    expect(Math.abs(correlation(a, keptBy(results[0]?.second as Float32Array)))).toBeLessThan(4);
  });

  it.each([
    [[], 1],
    [["batch"], ROWS],
    [[3, 5], 15],
  ] as const)("works on shape %j", async (shape, count) => {
    const [result] = await droppedBy([5], { shape, ratio: 0.5 });
    expect(result?.first).toHaveLength(count);
    expect(result?.first.every((x) => x === 0 || x === 2)).toBe(true);
  });

  it("says what it needs", () => {
    const graph = new Graph(operators);
    const x = graph.input("x", "float32", [4]);
    const isTraining = graph.constant(tensorOfNumbers("bool", [], [1]));
    expect(() => graph.apply("Dropout", [x, undefined, isTraining])).toThrow(
      "the int64 input `dropout-seed`",
    );
    expect(() => graph.apply("Dropout", [x, graph.scalar(1), isTraining])).toThrow(
      "a dropout ratio in [0, 1), got 1",
    );
    expect(() => graph.apply("Dropout", [x, graph.input("ratio", "float32", []), isTraining])).toThrow(
      "the ratio of Dropout to be constant",
    );
  });
});
