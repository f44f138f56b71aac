import { describe, expect, it } from "vitest";
import { interpret } from "../../test/support/interpreter.ts";
import { floatInfo, floatTensor, integerTensor, onnxFile } from "../../test/support/onnx-file.ts";
import { gradients } from "../autodiff/gradients.ts";
import { operators } from "../autodiff/operators/index.ts";
import { reduceSum } from "./functions/index.ts";
import type { Value } from "./ir.ts";
import { AttributeProto_AttributeType as AttributeType } from "./proto/onnx_pb.js";
import { readModel } from "./read-model.ts";

interface Body {
  readonly input?: readonly string[];
  readonly output: readonly string[];
  readonly node: readonly object[];
}

const graphOf = ({ input = [], output, node }: Body) => ({
  name: "body",
  input: input.map((name) => ({ name })),
  output: output.map((name) => ({ name })),
  node: [...node],
});

const body = (name: string, parts: Body) => ({ name, type: AttributeType.GRAPH, g: graphOf(parts) });
const number = (name: string, i: bigint) => ({ name, type: AttributeType.INT, i });
const numbers = (name: string, list: readonly bigint[]) => ({
  name,
  type: AttributeType.INTS,
  ints: [...list],
});

/** A file with an input x [2, 3] and a weight w [3]. */
function read(node: readonly object[], output: readonly string[] = ["y"]) {
  const file = onnxFile({
    graph: {
      input: [floatInfo("x", [2, 3])],
      output: output.map((name) => floatInfo(name, [2, 3])),
      node: [...node],
      initializer: [
        floatTensor("w", [3], [1, 2, 3]),
        integerTensor("three", [3]),
        integerTensor("many", [5000]),
        integerTensor("two", [2]),
      ],
    } as Parameters<typeof onnxFile>[0]["graph"] & object,
  });
  return readModel(file, operators);
}

const x = { shape: [2, 3], data: Float64Array.of(1, -2, 3, 4, 5, -6) };
const w = { shape: [3], data: Float64Array.of(1, 2, 3) };
const valuesOf = (model: ReturnType<typeof read>, name = "y"): number[] => [
  ...(interpret([model.outputs.get(name) as Value], { x, w })[0]?.data ?? []),
];

describe("an If", () => {
  const branches = [
    body("then_branch", { output: ["t"], node: [{ opType: "Mul", input: ["x", "w"], output: ["t"] }] }),
    body("else_branch", { output: ["e"], node: [{ opType: "Neg", input: ["x"], output: ["e"] }] }),
  ];
  const rankIs = (size: string) => [
    { opType: "Shape", input: ["x"], output: ["shape"], attribute: [number("start", 1n)] },
    { opType: "Equal", input: ["shape", size], output: ["is"] },
    { opType: "If", name: "choice", input: ["is"], output: ["y"], attribute: branches },
  ];

  it("is the branch that a condition on shapes takes, which sees the values around it", () => {
    const model = read(rankIs("three"));
    expect(valuesOf(model)).toEqual([1, -4, 9, 4, 10, -18]);
    const [weight] = [...model.weights.keys()] as [Value];
    const [gradient] = gradients(reduceSum(model.outputs.get("y") as Value), [weight]);
    expect([...(interpret([gradient], { x, w })[0]?.data ?? [])]).toEqual([5, 3, -3]);
    expect(valuesOf(read(rankIs("two")))).toEqual([-1, 2, -3, -4, -5, 6]);
  });

  it("is refused with a condition that is computed, naming the node", () => {
    const node = [
      { opType: "ReduceMax", input: ["x"], output: ["most"] },
      { opType: "Cast", input: ["most"], output: ["is"], attribute: [number("to", 9n)] },
      { opType: "If", name: "choice", input: ["is"], output: ["y"], attribute: branches },
    ];
    expect(() => read(node)).toThrow(
      expect.objectContaining({
        code: "LETHE_DATA_OPERATOR",
        message: expect.stringContaining("`If` in node `choice` with a condition that is known"),
      }),
    );
  });
});

describe("a Loop", () => {
  const trip = body("body", {
    input: ["i", "go", "state"],
    output: ["on", "next", "row"],
    node: [
      { opType: "Identity", input: ["go"], output: ["on"] },
      { opType: "Mul", input: ["state", "w"], output: ["next"] },
      { opType: "Cast", input: ["i"], output: ["number"], attribute: [number("to", 1n)] },
      { opType: "Add", input: ["next", "number"], output: ["row"] },
    ],
  });
  const loop = (count: string, attribute = [trip]) => ({
    opType: "Loop",
    name: "again",
    input: [count, "", "x"],
    output: ["y", "rows"],
    attribute,
  });

  it("is its body once for each trip, with the rows of all", () => {
    const model = read([loop("three")], ["y", "rows"]);
    expect(model.outputs.get("rows")?.shape).toEqual([3, 2, 3]);
    expect(valuesOf(model)).toEqual([1, -16, 81, 4, 40, -162]);
    expect(valuesOf(model, "rows").slice(6, 12)).toEqual([2, -7, 28, 5, 21, -53]);
  });

  it("ends where its condition does", () => {
    const once = body("body", {
      input: ["i", "go", "state"],
      output: ["on", "next"],
      node: [
        { opType: "Less", input: ["i", "two"], output: ["on"] },
        { opType: "Neg", input: ["state"], output: ["next"] },
      ],
    });
    // Trips 0, 1 and 2: the last one says no.
    const model = read([{ ...loop("", [once]), output: ["y"] }]);
    expect(valuesOf(model)).toEqual([-1, 2, -3, -4, -5, 6]);
  });

  it.each([
    ["more trips than a graph holds", loop("many"), "at most 1024 trips"],
    ["a number of trips that is computed", loop("unknown"), "a number of trips that is known"],
    [
      "a loop inside of it",
      loop("three", [
        body("body", { input: ["i", "go", "s"], output: ["go", "y", "rows"], node: [loop("three")] }),
      ]),
      "no loop inside of another",
    ],
  ])("is refused with %s", (_title, node, message) => {
    const computed = [
      { opType: "ReduceMax", input: ["x"], output: ["most"] },
      { opType: "Cast", input: ["most"], output: ["unknown"], attribute: [number("to", 7n)] },
    ];
    expect(() => read([...computed, node])).toThrow(
      expect.objectContaining({ code: "LETHE_DATA_OPERATOR", message: expect.stringContaining(message) }),
    );
  });
});

describe("a Scan", () => {
  it("carries a state along an axis, backwards too, and stacks its rows", () => {
    const step = body("body", {
      input: ["sum", "element"],
      output: ["next", "row"],
      node: [
        { opType: "Add", input: ["sum", "element"], output: ["next"] },
        { opType: "Identity", input: ["next"], output: ["row"] },
      ],
    });
    const start = [
      { opType: "Constant", output: ["axis"], attribute: [numbers("value_ints", [1n])] },
      { opType: "ReduceSum", input: ["x", "axis"], output: ["zero"], attribute: [number("keepdims", 0n)] },
      { opType: "Sub", input: ["zero", "zero"], output: ["start"] },
    ];
    const scan = {
      opType: "Scan",
      input: ["start", "x"],
      output: ["last", "y"],
      attribute: [
        step,
        number("num_scan_inputs", 1n),
        numbers("scan_input_axes", [1n]),
        numbers("scan_input_directions", [1n]),
        numbers("scan_output_axes", [1n]),
        numbers("scan_output_directions", [1n]),
      ],
    };
    const model = read([...start, scan]);
    // Sums from the back.
    expect(valuesOf(model)).toEqual([2, 1, 3, 3, -1, -6]);
  });
});
