import { describe, expect, it } from "vitest";
import { floatInfo, floatTensor, onnxFile } from "../../test/support/onnx-file.ts";
import { isLetheError } from "../kernel/errors.ts";
import { keyFromSeed } from "../kernel/key.ts";
import { type Architecture, initialWeights } from "../models/architecture.ts";
import { onnxArchitecture } from "../models/onnx-model.ts";
import { selectTrainable } from "../models/select-trainable.ts";
import { parseModel } from "../onnx/read-model.ts";
import { writeModel } from "../onnx/write-model.ts";
import { buildStepGraph } from "../training/step-graph.ts";

const square = Array.from({ length: 16 }, (_, at) => ((at * 7) % 5) / 5 - 0.4);

/** Two branches from `x`, one of them through an operator nobody knows, whose sum a head reads. */
function model(): Architecture {
  const product = (x: string, w: string, y: string) => ({ opType: "MatMul", input: [x, w], output: [y] });
  const names = ["body.0.weight", "body.1.weight", "side.weight", "head.weight"];
  const file = onnxFile({
    model: {
      opsetImport: [
        { domain: "", version: 18n },
        { domain: "their.own", version: 7n },
      ],
    },
    graph: {
      name: "branches",
      input: [floatInfo("x", ["n", 4])],
      output: [floatInfo("y", ["n", 4])],
      initializer: names.map((name) => floatTensor(name, [4, 4], square)),
      valueInfo: [floatInfo("fourier", ["n", 4])],
      node: [
        product("x", "body.0.weight", "a"),
        product("a", "body.1.weight", "b"),
        { opType: "Fourier", domain: "their.own", name: "transform", input: ["b"], output: ["fourier"] },
        product("x", "side.weight", "c"),
        { opType: "Add", input: ["fourier", "c"], output: ["d"] },
        product("d", "head.weight", "y"),
      ],
    },
  } as never);
  return onnxArchitecture(file, "branches.onnx");
}

const build = (architecture: Architecture) =>
  buildStepGraph(architecture, { loss: "cross-entropy", gradients: true });

describe("a model with an operator that cannot be differentiated", () => {
  it("is told the node, the operator and the fewest parameters to freeze, and the advice works", () => {
    const architecture = model();
    const error = (() => {
      try {
        build(architecture);
      } catch (caught) {
        if (isLetheError(caught)) return caught;
      }
      throw new Error("it was differentiated");
    })();
    expect(error.code).toBe("LETHE_DATA_NO_GRADIENT");
    expect(error.message).toContain("`their.own:Fourier` in node `transform`");
    expect(error.details).toMatchObject({
      trainable: ["side.weight", "head.weight"],
      frozen: ["body.0.weight", "body.1.weight"],
    });
    expect(error.message).toContain("(--freeze 'body.*')");

    const values = initialWeights(architecture, keyFromSeed(1));
    const [, pattern = ""] = /--freeze '([^']+)'/.exec(error.message) ?? [];
    const followed = build(selectTrainable(architecture, { freeze: [pattern] }, values));
    expect([...followed.contents.outputs.keys()]).toEqual(["loss", "grad:side.weight", "grad:head.weight"]);
    const written = parseModel(writeModel(followed.contents));
    expect(written.opsetImport.map(({ domain, version }) => [domain, version])).toEqual([
      ["", 18n],
      ["their.own", 7n],
    ]);
    // The cut is the smallest: with one more parameter trained it fails again.
    for (const name of ["body.0.weight", "body.1.weight"]) {
      const train = ["side.weight", "head.weight", name];
      expect(() => build(selectTrainable(architecture, { train }, values))).toThrow("transform");
    }
  });
});
