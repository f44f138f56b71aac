import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { onnxFile } from "../../test/support/onnx-file.ts";
import { operators } from "../autodiff/operators/index.ts";
import { parseModel, readModel } from "../onnx/read-model.ts";
import { rewriteModel } from "../onnx/rewrite-model.ts";
import { numbersOf } from "../onnx/tensor.ts";
import { openOnnxFile } from "./onnx-file.ts";

let folder: string;
const GIB = 2 ** 30;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lethe-onnx-"));
  mkdirSync(join(folder, "model"));
  writeFileSync(join(folder, "secret.bin"), new Uint8Array(64));
  writeFileSync(
    join(folder, "model", "weights.bin"),
    new Uint8Array(Float32Array.of(0, 0, 1, 2, 3, 4).buffer),
  );
  symlinkSync(join(folder, "secret.bin"), join(folder, "model", "link.bin"));
  // Sparse: 3 GiB of nothing, and four numbers.
  writeFileSync(join(folder, "model", "large.bin"), "");
  truncateSync(join(folder, "model", "large.bin"), 3 * GIB);
  writeFileSync(join(folder, "model", "large.bin"), new Uint8Array(Float32Array.of(5, 6, 7, 8).buffer), {
    flag: "a",
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Reads x + w, w four numbers in a file. */
function weightsAt(entries: Readonly<Record<string, string>>): number[] {
  const path = join(folder, "model", "model.onnx");
  const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
  const bytes = onnxFile({
    graph: {
      node: [{ opType: "MatMul", input: ["x", "w"], output: ["y"] }],
      initializer: [{ name: "w", dataType: 1, dims: [4n, 1n], dataLocation: 1, externalData }],
    },
  });
  writeFileSync(path, bytes);
  const file = openOnnxFile(path);
  const model = readModel(file.bytes, operators, { external: file.external });
  return [...model.weights.values()].flatMap((tensor) => numbersOf(tensor));
}

describe("weights in a file beside the model", () => {
  it("are read at their offset", () => {
    expect(weightsAt({ location: "weights.bin", offset: "8", length: "16" })).toEqual([1, 2, 3, 4]);
    expect(weightsAt({ location: "./weights.bin" })).toEqual([0, 0, 1, 2]);
  });

  it("move into the file that is written again", () => {
    expect(weightsAt({ location: "weights.bin", offset: "8", length: "16" })).toHaveLength(4);
    const { bytes, external } = openOnnxFile(join(folder, "model", "model.onnx"));
    const again = rewriteModel(parseModel(bytes), { tensors: new Map() }, external);
    const weights = [...readModel(again, operators).weights.values()];
    expect(weights.flatMap((tensor) => numbersOf(tensor))).toEqual([1, 2, 3, 4]);
  });

  it("are read three gibibytes into a file, without what is before them", () => {
    expect(weightsAt({ location: "large.bin", offset: String(3 * GIB), length: "16" })).toEqual([5, 6, 7, 8]);
  });

  it.each<[string, Record<string, string>, string]>([
    ["a path that leaves the folder by dots", { location: "../secret.bin" }, "the model's own folder"],
    ["a path that leaves and comes back", { location: "../model/../secret.bin" }, "the model's own folder"],
    ["a link that leaves the folder", { location: "link.bin" }, "the model's own folder"],
    ["the folder itself", { location: "." }, "the model's own folder"],
    ["no path", {}, "no place to find them"],
    ["a file that is not there", { location: "absent.bin" }, "got none"],
    ["a part beyond the end", { location: "weights.bin", offset: "12", length: "16" }, "which has 24"],
    ["a negative offset", { location: "weights.bin", offset: "-8" }, "16 at -8"],
    ["an offset that is no number", { location: "weights.bin", offset: "eight" }, "16 at NaN"],
    ["an offset beyond whole numbers", { location: "weights.bin", offset: "1e400" }, "at Infinity"],
    ["another length than the shape's", { location: "weights.bin", length: "12" }, "16 bytes of `w`"],
  ])("are refused: %s", (_what, entries, expected) => {
    expect(() => weightsAt(entries)).toThrow(
      expect.objectContaining({
        kind: "data",
        code: "LETHE_DATA_EXTERNAL",
        message: expect.stringContaining(expected),
      }),
    );
  });

  it("an absolute path stays inside too", () => {
    expect(() => weightsAt({ location: join(folder, "secret.bin") })).toThrow("beside the model, got none");
  });
});

it("a model that is not there is named", () => {
  expect(() => openOnnxFile(join(folder, "none.onnx"))).toThrow(
    expect.objectContaining({ code: "LETHE_DATA_FILE", message: expect.stringContaining("none.onnx") }),
  );
});
