import type { MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { floatInfo, floatTensor, onnxFile } from "../../test/support/onnx-file.ts";
import { operators } from "../autodiff/operators/index.ts";
import { compileProgram } from "../runtime/program.ts";
import { AttributeProto_AttributeType as AttributeType, type ModelProtoSchema } from "./proto/onnx_pb.js";
import { type OnnxModel, readModel } from "./read-model.ts";

type Functions = NonNullable<MessageInitShape<typeof ModelProtoSchema>["functions"]>;
type Nodes = NonNullable<NonNullable<MessageInitShape<typeof ModelProtoSchema>["graph"]>["node"]>;

const OWN = "made.here";

/** x is [batch, 4], w is four numbers. */
function modelOf(
  functions: Functions,
  node: Nodes,
  initializer = [floatTensor("w", [4], [1, 2, 3, 4])],
): OnnxModel {
  const opsetImport = [
    { domain: "", version: 18n },
    { domain: OWN, version: 1n },
  ];
  const graph = {
    name: "g",
    node,
    input: [floatInfo("x", ["batch", 4])],
    output: [floatInfo("y", ["batch", 4])],
    initializer,
  };
  return readModel(onnxFile({ model: { opsetImport, functions, graph } } as never), operators);
}

const own = (name: string, rest: object): Functions[number] => ({
  name,
  domain: OWN,
  opsetImport: [{ domain: "", version: 18n }],
  ...rest,
});

/** out = LeakyRelu(a · b), the slope a parameter with a default. */
const gated = own("Gated", {
  input: ["a", "b"],
  output: ["out"],
  attributeProto: [{ name: "slope", type: AttributeType.FLOAT, f: 0.5 }],
  node: [
    { opType: "Mul", input: ["a", "b"], output: ["product"] },
    {
      opType: "LeakyRelu",
      input: ["product"],
      output: ["out"],
      attribute: [{ name: "alpha", type: AttributeType.FLOAT, refAttrName: "slope" }],
    },
  ],
});

describe("functions that a model defines", () => {
  it("are put in the place of their calls, each with names and settings of its own", async () => {
    const twice = own("Twice", {
      input: ["a", "b"],
      output: ["out"],
      node: [
        { opType: "Gated", domain: OWN, input: ["a", "b"], output: ["product"] },
        { opType: "Gated", domain: OWN, input: ["product", "b"], output: ["out"] },
      ],
    });
    const model = modelOf(
      [twice, gated],
      [
        { opType: "Twice", domain: OWN, input: ["x", "w"], output: ["h"], name: "call" },
        {
          opType: "Gated",
          domain: OWN,
          input: ["h", "w"],
          output: ["y"],
          attribute: [{ name: "slope", type: AttributeType.FLOAT, f: 0.25 }],
        },
      ],
    );
    expect(model.graph.nodes.map(({ type }) => type)).toEqual([
      "Mul",
      "LeakyRelu",
      "Mul",
      "LeakyRelu",
      "Mul",
      "LeakyRelu",
    ]);
    expect([...model.weights.keys()].map(({ name }) => name)).toEqual(["w"]);
    await using program = await compileProgram(
      { inputs: model.inputs, outputs: model.outputs, initializers: model.weights },
      { threads: 1, spinning: false },
    );
    const { y } = await program.run({ x: Float32Array.of(1, -1, 1, -1) });
    expect([...(y as Float32Array)]).toEqual([1, -0.5 * 0.5 * 0.25 * 8, 27, -0.5 * 0.5 * 0.25 * 64]);
  });

  it("may leave optional inputs out and give fewer outputs than they could", () => {
    const optional = own("Optional", {
      input: ["a", "low"],
      output: ["out", "spare"],
      node: [
        { opType: "Clip", input: ["a", "low"], output: ["out"] },
        { opType: "Relu", input: ["a"], output: ["spare"] },
      ],
    });
    const model = modelOf([optional], [{ opType: "Optional", domain: OWN, input: ["x"], output: ["y"] }]);
    expect(model.graph.nodes[0]?.inputs).toEqual([model.inputs[0], undefined]);
  });

  it("are refused when they call themselves, or double until nothing could hold them", () => {
    const call = (name: string): Nodes[number] => ({
      opType: name,
      domain: OWN,
      input: ["a"],
      output: ["out"],
    });
    const loop = own("Loop", { input: ["a"], output: ["out"], node: [call("Back")] });
    const back = own("Back", { input: ["a"], output: ["out"], node: [call("Loop")] });
    const use = (name: string): Nodes => [{ opType: name, domain: OWN, input: ["x"], output: ["y"] }];
    expect(() => modelOf([loop, back], use("Loop"))).toThrow("functions that do not call themselves");
    const doubling = Array.from({ length: 60 }, (_, step) =>
      own(`F${step}`, {
        input: ["a"],
        output: ["out"],
        node: [
          step === 0
            ? { opType: "Relu", input: ["a"], output: ["h"] }
            : { ...call(`F${step - 1}`), output: ["h"] },
          step === 0
            ? { opType: "Relu", input: ["h"], output: ["out"] }
            : { ...call(`F${step - 1}`), input: ["h"] },
        ],
      }),
    );
    expect(() => modelOf(doubling, use("F59"))).toThrow("at most 200000 nodes");
  });

  it("may copy a weight, which stays one: the file has no name for the copy", () => {
    const copying = own("Copying", {
      input: ["a", "b"],
      output: ["out"],
      node: [
        { opType: "Identity", input: ["b"], output: ["c"] },
        { opType: "Mul", input: ["a", "c"], output: ["out"] },
      ],
    });
    const node = [{ opType: "Copying", domain: OWN, input: ["x", "ones"], output: ["y"] }];
    const model = modelOf([copying], node, [floatTensor("ones", [4], [1, 1, 1, 1])]);
    expect([...model.weights.keys()].map(({ name }) => name)).toEqual(["ones"]);
  });

  it("of a newer opset than known are refused", () => {
    const newer = { ...gated, opsetImport: [{ domain: "", version: 99n }] } as Functions[number];
    const node = [{ opType: "Gated", domain: OWN, input: ["x", "w"], output: ["y"] }];
    expect(() => modelOf([newer], node)).toThrow("got 99");
  });
});
