import { describe, expect, it } from "vitest";
import { layoutOf, type TensorLayout } from "../../../kernel/layout.ts";
import { slotNamed } from "../testing/request.ts";
import { blocksOf, livePart } from "./blocks.ts";

const tensor = (name: string, shape: readonly number[], role: TensorLayout["role"] = "parameter") => ({
  name,
  shape,
  role,
});
const layout = layoutOf([
  tensor("in-out", [3, 2]),
  tensor("in-out.bias", [2]),
  tensor("out-in", [2, 3]),
  tensor("conv", [4, 1, 2, 2]),
  tensor("conv.bias", [4]),
  tensor("scale", [3]),
  tensor("shift", [3]),
  tensor("embedding", [5]),
  tensor("orphan", [2]),
  tensor("mean", [3], "buffer"),
]);
const slot = (name: string) => slotNamed(layout, name);
const blocks = blocksOf(layout, [
  { kind: "dense", name: "a", weight: slot("in-out"), bias: slot("in-out.bias"), inputAxis: 0 },
  { kind: "dense", name: "b", weight: slot("out-in"), bias: undefined, inputAxis: 1 },
  { kind: "conv", name: "c", weight: slot("conv"), bias: slot("conv.bias"), group: 2 },
  {
    kind: "norm",
    name: "n",
    scale: slot("scale"),
    shift: slot("shift"),
    runningMean: slot("mean"),
    runningVariance: undefined,
  },
  { kind: "other", name: "e", slots: [slot("embedding"), slot("mean")] },
]);
const block = (layer: string) => {
  const found = blocks.find((block) => block.layer === layer);
  if (found === undefined) throw new Error(`no block ${layer}`);
  return { ...found, index: [...found.index] };
};

describe("blocksOf", () => {
  it("covers every parameter exactly once and no buffer", () => {
    const covered = blocks.flatMap(({ index }) => [...index]).sort((a, b) => a - b);
    expect(covered).toEqual(Array.from({ length: layout.parameterLength }, (_, i) => i));
  });

  it("sees a dense layer as inputs by outputs, whichever way it is stored, with the bias as the last row", () => {
    expect(block("a")).toMatchObject({ rows: 4, columns: 2, biasRow: 3, index: [0, 1, 2, 3, 4, 5, 6, 7] });
    // Stored [out, in]: element (r, c) lies at c·3 + r.
    expect(block("b")).toMatchObject({ rows: 3, columns: 2, biasRow: undefined });
    expect(block("b").index.map((i) => i - slot("out-in").offset)).toEqual([0, 3, 1, 4, 2, 5]);
  });

  it("cuts a grouped convolution into one matrix for each group, rows in kernel order", () => {
    const { offset } = slot("conv");
    const bias = slot("conv.bias").offset;
    expect(block("c[0]")).toMatchObject({ rows: 5, columns: 2, biasRow: 4 });
    expect(block("c[0]").index).toEqual(
      [0, 4, 1, 5, 2, 6, 3, 7].map((i) => offset + i).concat([bias, bias + 1]),
    );
    expect(block("c[1]").index).toEqual(
      [8, 12, 9, 13, 10, 14, 11, 15].map((i) => offset + i).concat([bias + 2, bias + 3]),
    );
  });

  it("joins scale and shift and takes what has no form by its diagonal, spoken of or not", () => {
    expect(block("n")).toMatchObject({ kind: "vector", rows: 6, columns: 1 });
    expect(block("e")).toMatchObject({ kind: "diagonal", rows: 5 });
    expect(block("orphan")).toMatchObject({ kind: "diagonal", rows: 2 });
  });
});

describe("livePart", () => {
  it("keeps the chosen rows and columns and finds the bias again", () => {
    const [dense] = blocks;
    if (dense === undefined) throw new Error("no block");
    const live = livePart(dense, [1, 3], [1]);
    expect(live).toMatchObject({ rows: 2, columns: 1, biasRow: 1 });
    expect([...(live?.index ?? [])]).toEqual([3, 7]);
    expect(livePart(dense, [1, 2], [0, 1])?.biasRow).toBeUndefined();
    expect(livePart(dense, [], [0])).toBeUndefined();
  });
});
