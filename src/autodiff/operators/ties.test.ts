import { describe, expect, it } from "vitest";
import { globalMaxPool, maximum, maxPool, reduceMax, reduceSum } from "../../onnx/functions/index.ts";
import { Graph } from "../../onnx/graph.ts";
import type { Value } from "../../onnx/ir.ts";
import { compileProgram } from "../../runtime/program.ts";
import { gradients } from "../gradients.ts";
import { operators } from "./index.ts";

/** The gradient of Σ f(x) at a 4×4 image of one value. */
async function onFlatImage(f: (x: Value) => Value): Promise<number[]> {
  const graph = new Graph(operators);
  const x = graph.input("x", "float32", ["batch", 1, 4, 4]);
  const [gradient] = gradients(reduceSum(f(x)), [x]);
  await using program = await compileProgram({ inputs: [x], outputs: new Map([["gradient", gradient]]) });
  const result = await program.run({ x: new Float32Array(16).fill(0.3) });
  return Array.from(result.gradient as Float32Array);
}

describe("equal maxima", () => {
  it("share the gradient of a pool whose windows tile the image", async () => {
    const gradient = await onFlatImage((x) => maxPool(x, [2, 2], { strides: [2, 2] }));
    expect(gradient).toEqual(new Array(16).fill(0.25));
  });

  it("share the gradient of a maximum over the whole image", async () => {
    const shares = new Array(16).fill(1 / 16);
    expect(await onFlatImage((x) => globalMaxPool(x))).toEqual(shares);
    expect(await onFlatImage((x) => reduceMax(x, { axes: [1, 2, 3] }))).toEqual(shares);
  });

  it("share the gradient of the larger of two", async () => {
    expect(await onFlatImage((x) => maximum(x, x.graph.scalar(Math.fround(0.3))))).toEqual(
      new Array(16).fill(0.5),
    );
  });

  it("leave the gradient of overlapping windows to the first of them, so that it is counted once", async () => {
    const gradient = await onFlatImage((x) => maxPool(x, [3, 3]));
    expect(gradient).toEqual([1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});
