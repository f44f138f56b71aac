import { describe, expect, it } from "vitest";
import { ints } from "../../onnx/attributes.ts";
import {
  cast,
  div,
  equal,
  mul,
  reshape,
  shapeOf,
  slice,
  transpose,
  where,
} from "../../onnx/functions/index.ts";
import { Graph } from "../../onnx/graph.ts";
import { operators } from "./index.ts";

const graph = new Graph(operators);
const x = graph.input("x", "float32", ["batch", 1, 6]);

describe("shape arithmetic is followed", () => {
  it("through the expansion of all axes but those given as −1", () => {
    const wanted = graph.integers([-1, 4, -1]);
    const keep = equal(wanted, graph.integers([-1]));
    const shape = where(keep, shapeOf(x), wanted);
    expect(graph.apply("Expand", [x, shape]).shape).toEqual(["batch", 4, 6]);
  });

  it("through pads written back to front in pairs", () => {
    const pairs = reshape(graph.integers([1, 2, 0, 3, 0, 0]), [-1, 2]);
    const turned = slice(pairs, [{ axis: 0, start: -1, end: -(2 ** 40), step: -1 }]);
    const pads = reshape(graph.apply("Transpose", [turned], { perm: ints([1, 0]) }), [-1]);
    expect(pads.contents).toEqual([0, 0, 1, 0, 3, 2]);
    expect(graph.apply("Pad", [x, pads]).shape).toEqual(["batch", 4, 9]);
  });

  it("through the number of elements, ranges and truths", () => {
    expect(graph.apply("Size", [x]).contents).toEqual(["batch*6"]);
    const [from, to, by] = [1, 10, 3].map((number) => graph.scalar(number, "int64"));
    expect(graph.apply("Range", [from, to, by]).contents).toEqual([1, 4, 7]);
    const isPositive = cast(graph.integers([0, 3]), "bool");
    expect(graph.apply("Not", [isPositive]).contents).toEqual([1, 0]);
  });

  it("through real numbers, which keep what is behind the point until they are cast back", () => {
    const size = cast(graph.integers([7]), "float32");
    const half = div(size, graph.scalar(2));
    expect(half.contents).toEqual([3.5]);
    expect(mul(half, 2).contents).toEqual([7]);
    const [low, high] = ["Floor", "Ceil"].map((type) => cast(graph.apply(type, [half]), "int64"));
    expect([low?.contents, high?.contents, cast(half, "int64").contents]).toEqual([[3], [4], [3]]);
    // Whole numbers are divided as such.
    expect(div(graph.integers([7]), graph.integers([2])).contents).toEqual([3]);
    expect(div(size, graph.scalar(0)).contents).toBeUndefined();
    expect(graph.apply("Less", [graph.scalar(0), size]).contents).toEqual([1]);
  });

  it("through vectors made of one number", () => {
    const many = graph.apply("Expand", [graph.integers([5]), graph.integers([3])]);
    expect(many.contents).toEqual([5, 5, 5]);
  });

  it("no further than it is known", () => {
    expect(cast(shapeOf(x), "bool").contents).toBeUndefined();
    expect(equal(shapeOf(x), graph.integers([8])).contents).toBeUndefined();
    expect(transpose(x, [2, 1, 0]).contents).toBeUndefined();
  });
});
