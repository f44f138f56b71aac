import { describe, expect, it } from "vitest";
import { gradients } from "../../src/autodiff/gradients.ts";
import { operators } from "../../src/autodiff/operators/index.ts";
import { keyFromSeed, randomStream } from "../../src/kernel/key.ts";
import { text } from "../../src/onnx/attributes.ts";
import { mul, reduceSum } from "../../src/onnx/functions/index.ts";
import { Graph } from "../../src/onnx/graph.ts";
import type { Value } from "../../src/onnx/ir.ts";
import { compileProgram } from "../../src/runtime/program.ts";

/** Enough for the engine to divide among threads, and for most positions to meet often. */
const WRITES = 4000;
const [ROWS, COLUMNS, WIDTH] = [5, 8, 16];
const REPEATS = 5;

const random = randomStream(keyFromSeed("repeated positions"));
const tuples = Array.from({ length: WRITES }, () => [random.below(ROWS), random.below(COLUMNS)] as const);
// Whole numbers: their sums are exact in any order.
const updates = Float32Array.from({ length: WRITES * WIDTH }, () => random.below(17) - 8);

// ONNX Runtime's ScatterND loses some of these additions when it has two threads.
describe("additions at positions that repeat, with two threads", () => {
  it("are all made by ScatterND", async () => {
    const { graph, table, indices, written } = inputs();
    const sums = graph.apply("ScatterND", [table, indices, written], { reduction: text("add") });
    await expectSums(graph, sums);
  });

  it("are all made by the gradient of GatherND", async () => {
    const { graph, table, indices, written } = inputs();
    const [sums] = gradients(reduceSum(mul(graph.apply("GatherND", [table, indices]), written)), [table]);
    await expectSums(graph, sums);
  });
});

function inputs() {
  const graph = new Graph(operators);
  return {
    graph,
    table: graph.input("table", "float32", [ROWS, COLUMNS, WIDTH]),
    indices: graph.input("indices", "int64", [WRITES, 2]),
    written: graph.input("written", "float32", [WRITES, WIDTH]),
  };
}

async function expectSums(graph: Graph, sums: Value): Promise<void> {
  expect(graph.nodes.map((node) => node.type)).not.toContain("ScatterND");
  const expected = new Float32Array(ROWS * COLUMNS * WIDTH);
  updates.forEach((update, i) => {
    const [row, column] = tuples[Math.floor(i / WIDTH)] as readonly [number, number];
    const at = (row * COLUMNS + column) * WIDTH + (i % WIDTH);
    expected[at] = (expected[at] as number) + update;
  });
  await using program = await compileProgram(
    { inputs: graph.inputs, outputs: new Map([["sums", sums]]) },
    { threads: 2, spinning: false },
  );
  const feeds = {
    table: new Float32Array(expected.length),
    indices: BigInt64Array.from(tuples.flat(), BigInt),
    written: updates,
  };
  for (let run = 0; run < REPEATS; run++) expect((await program.run(feeds)).sums).toEqual(expected);
}
