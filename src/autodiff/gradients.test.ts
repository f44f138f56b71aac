import { describe, expect, it } from "vitest";
import {
  add,
  gather,
  logSoftmax,
  matmul,
  mul,
  neg,
  oneHot,
  reduceMean,
  reduceSum,
  relu,
  square,
  stopGradient,
} from "../onnx/functions/index.ts";
import { Graph } from "../onnx/graph.ts";
import { compileProgram } from "../runtime/program.ts";
import { gradients } from "./gradients.ts";
import { operators } from "./operators/index.ts";

describe("gradients", () => {
  it("differentiates a two-layer network with a named batch axis", async () => {
    const graph = new Graph(operators);
    const x = graph.input("x", "float32", ["batch", 3]);
    const labels = graph.input("labels", "int64", ["batch"]);
    const w = graph.input("w", "float32", [3, 4]);
    const b = graph.input("b", "float32", [4]);
    const logits = add(matmul(x, w), b);
    const loss = neg(reduceMean(reduceSum(mul(logSoftmax(relu(logits)), oneHot(labels, 4)), { axes: [1] })));
    const [dw, db] = gradients(loss, [w, b]);
    await using program = await compileProgram({
      inputs: [x, labels, w, b],
      outputs: new Map([
        ["loss", loss],
        ["dw", dw],
        ["db", db],
      ]),
    });
    const feeds = {
      x: Float32Array.from([0.5, -1, 2, 1, 0.25, -0.5]),
      labels: BigInt64Array.from([2n, 0n]),
      w: Float32Array.from({ length: 12 }, (_, i) => Math.sin(i + 1)),
      b: Float32Array.from([0.1, -0.2, 0.3, 0.4]),
    };
    const at = async (w: Float32Array): Promise<number> =>
      ((await program.run({ ...feeds, w })).loss as Float32Array)[0] as number;
    const result = await program.run(feeds);
    const step = 1e-2;
    for (let i = 0; i < 12; i++) {
      const up = await at(feeds.w.with(i, (feeds.w[i] as number) + step));
      const down = await at(feeds.w.with(i, (feeds.w[i] as number) - step));
      expect(Math.abs((up - down) / (2 * step) - ((result.dw as Float32Array)[i] as number))).toBeLessThan(
        2e-3,
      );
    }
    expect(result.db).toHaveLength(4);
  });

  it("takes what is stopped as a constant, also the second time", async () => {
    const graph = new Graph(operators);
    const x = graph.input("x", "float32", [2]);
    // y = Σ x·[x²] with the square held: its gradient is x², and as a constant that has none.
    const held = stopGradient(square(x));
    const [first] = gradients(reduceSum(mul(x, held)), [x]);
    const [none] = gradients(reduceSum(first), [x]);
    await using program = await compileProgram({
      inputs: [x],
      outputs: new Map([
        ["first", first],
        ["none", none],
      ]),
    });
    const results = await program.run({ x: Float32Array.from([3, -2]) });
    expect([...(results.first as Float32Array)]).toEqual([9, 4]);
    expect([...(results.none as Float32Array)]).toEqual([0, 0]);
  });

  it("differentiates one picked position of an open batch, and ids of 32 bits", async () => {
    const graph = new Graph(operators);
    const ids = graph.input("ids", "int32", ["batch", 2]);
    const table = graph.input("table", "float32", [3, 2]);
    const words = gather(table, ids); // [batch, 2, 2]
    const last = gather(words, graph.scalar(1, "int64"), 1); // [batch, 2]
    const [slope] = gradients(reduceSum(square(last)), [table]);
    await using program = await compileProgram({
      inputs: [ids, table],
      outputs: new Map([["slope", slope]]),
    });
    const feeds = { ids: Int32Array.of(0, 2, 1, 2, 2, 0), table: Float32Array.of(1, 2, 3, 4, 5, 6) };
    // The second words are 2, 2 and 0: twice the rows they picked.
    expect([...((await program.run(feeds)).slope as Float32Array)]).toEqual([2, 4, 0, 0, 20, 24]);
  });

  it("differentiates its own result", async () => {
    const graph = new Graph(operators);
    const x = graph.input("x", "float32", [3]);
    const y = reduceSum(mul(square(x), x));
    const [first] = gradients(y, [x]);
    const [second] = gradients(reduceSum(first), [x]);
    await using program = await compileProgram({
      inputs: [x],
      outputs: new Map([["second", second]]),
    });
    // y = Σ x³: the Hessian's diagonal is 6x.
    expect([...((await program.run({ x: Float32Array.from([1, -2, 0.5]) })).second as Float32Array)]).toEqual(
      [6, -12, 3],
    );
  });
});
