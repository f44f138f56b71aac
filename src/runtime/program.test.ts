import { describe, expect, it } from "vitest";
import { operators } from "../autodiff/operators/index.ts";
import { add, reduceSum } from "../onnx/functions/index.ts";
import { Graph } from "../onnx/graph.ts";
import type { Shape } from "../onnx/shape.ts";
import { compileProgram, type NamedSizes } from "./program.ts";

const RUNTIME = { threads: 1, spinning: false };

/** Row sums of x, plus y; x and y of the lengths given, filled with ones. */
async function run(xShape: Shape, x: number, y: number, sizes?: NamedSizes): Promise<number[]> {
  const graph = new Graph(operators);
  const [a, b] = [graph.input("x", "float32", xShape), graph.input("y", "float32", ["batch"])];
  const outputs = new Map([["z", add(reduceSum(a, { axes: [1] }), b)]]);
  await using program = await compileProgram({ inputs: [a, b], outputs }, RUNTIME);
  const { z } = await program.run({ x: new Float32Array(x).fill(1), y: new Float32Array(y).fill(1) }, sizes);
  return [...(z as Float32Array)];
}

describe("inputs with sizes that have only names", () => {
  it("are read with the sizes that other inputs tell", async () => {
    expect(await run(["batch", "sequence"], 12, 3)).toEqual([5, 5, 5]);
    expect(await run(["batch", 4], 12, 3)).toEqual([5, 5, 5]);
  });

  it("are read with the sizes that are said", async () => {
    expect(await run(["rows", "sequence"], 12, 3, { rows: 3 })).toEqual([5, 5, 5]);
    expect(await run(["rows", "sequence"], 12, 3, { sequence: 4, rows: 3 })).toEqual([5, 5, 5]);
  });

  it.each<[string, Shape, NamedSizes | undefined, string]>([
    ["two sizes are open", ["rows", "sequence"], undefined, "say the sizes of rows and sequence"],
    ["the array does not fill them", ["rows", "sequence"], { rows: 5 }, "12 elements"],
    ["a size said is another", ["rows", "sequence"], { rows: 3, sequence: 5 }, "12 elements"],
    ["another input tells another size", ["batch", 5], undefined, "12 elements"],
  ])("are refused when %s", async (_what, shape, sizes, message) => {
    await expect(run(shape, 12, 3, sizes)).rejects.toMatchObject({
      code: "LETHE_USAGE_FEED",
      message: expect.stringContaining(message),
    });
  });
});
